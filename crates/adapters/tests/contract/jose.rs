//! josekit tokens and MAC device credentials.

use revolve_adapters::{
    jose::{Algorithm, CodecConfig, IdKey, JoseTokens, MacDeviceCredentials, MasterKey},
    system::SystemEntropy,
};
use revolve_domain::ports::{DeviceCredentials, Entropy, TokenCodec};
use std::sync::Arc;

fn master() -> MasterKey {
    MasterKey::parse(&MasterKey::encode([SystemEntropy.bytes(), SystemEntropy.bytes()])).unwrap()
}

fn codec(algorithm: Algorithm) -> Arc<dyn TokenCodec> {
    let config = CodecConfig { issuer: "https://accounts.example.org".to_owned(), audience: "services".to_owned() };
    let key = IdKey::from_pem(algorithm, &IdKey::generate(algorithm).unwrap()).unwrap();
    Arc::new(JoseTokens::new(config, key, &master()).unwrap())
}

macro_rules! with_each_algorithm {
    ($($module:ident: $algorithm:ident),+ $(,)?) => { $(
        mod $module {
            use super::*;

            async fn make() -> Arc<dyn TokenCodec> {
                codec(Algorithm::$algorithm)
            }

            revolve_testkit::codec_contract!(make);
        }
    )+ };
}

with_each_algorithm!(rs256: Rs256, ps256: Ps256, es256: Es256, eddsa: EdDsa);

mod devices {
    use super::*;

    #[expect(clippy::unused_async, reason = "the contract's macro awaits it")]
    async fn make() -> Arc<dyn DeviceCredentials> {
        Arc::new(MacDeviceCredentials::new(&master()))
    }

    revolve_testkit::device_credentials_contract!(make);

    #[test]
    fn another_installation_issues_other_credentials() {
        let (here, there) = (MacDeviceCredentials::new(&master()), MacDeviceCredentials::new(&master()));
        let device = revolve_domain::model::DeviceId::from_random(SystemEntropy.bytes());
        assert_eq!(here.verify(&here.issue(device)), Some(device));
        assert_eq!(there.verify(&here.issue(device)), None);
    }
}
