//! The listener's own certificate: whether the service can start with it, and for how long clients take it.

use super::finding::{AS_USER, Finding, is_denied};
use crate::{composition::settings, config::Tls};
use revolve_domain::model::Timestamp;
use revolve_listener::{CertificateStatus, Validity};
use revolve_observe::telemetry::chain;

const CHECK: &str = "http.certificate";

/// `None` if it speaks no TLS.
pub(super) fn check(tls: &Tls, now: Timestamp) -> Option<Finding> {
    match settings::certificate(tls).and_then(|loaded| loaded.map(|certificate| certificate.validity()).transpose()) {
        Ok(validity) => validity.map(|validity| judge(validity, now)),
        Err(error) if is_denied(&error) => Some(Finding::unknown(CHECK, chain(&error)).advise(AS_USER)),
        Err(error) => Some(
            Finding::error(CHECK, format!("{}: the service would not start with it", chain(&error)))
                .advise("put both files there in PEM, the certificate first in its own and the key that it was made with in the other"),
        ),
    }
}

fn judge(validity: Validity, now: Timestamp) -> Finding {
    const RENEW: &str =
        "renew it: new files are taken up without a restart, within http.tls.reload_interval";
    let until = validity.until;
    match validity.standing(now.to_datetime()) {
        CertificateStatus::Good => Finding::ok(CHECK, format!("it is valid until {until}")),
        CertificateStatus::Soon => {
            Finding::warning(CHECK, format!("it expires soon: {until}")).advise(RENEW)
        }
        CertificateStatus::Expired => {
            Finding::error(CHECK, format!("it has expired: {until}; clients refuse it"))
                .advise(RENEW)
        }
        CertificateStatus::Early => Finding::error(
            CHECK,
            format!("it is valid from {} only; clients refuse it", validity.from),
        )
        .advise("look at this machine's clock, or at when the certificate was made for"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};
    use rcgen::generate_simple_self_signed;
    use std::{fs, path::Path};

    const DAY: i64 = 86_400;

    #[test]
    fn a_certificate_is_renewed_in_time() {
        let made = Validity {
            from: Timestamp::from_seconds(10 * DAY).to_datetime(),
            until: Timestamp::from_seconds(100 * DAY).to_datetime(),
        };
        for (second, level) in [
            (9 * DAY, Level::Error),
            (10 * DAY, Level::Ok),
            (86 * DAY, Level::Ok),
            (86 * DAY + 1, Level::Warning),
            (100 * DAY - 1, Level::Warning),
            (100 * DAY, Level::Error),
        ] {
            let finding = judge(made, Timestamp::from_seconds(second));
            assert_eq!(
                (finding.level, finding.advice.is_some()),
                (level, level != Level::Ok),
                "{second}: {finding:?}"
            );
        }
    }

    #[test]
    fn a_key_of_another_certificate_is_found_before_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] =
            [(); 2].map(|()| generate_simple_self_signed(["localhost".to_owned()]).unwrap());
        let put = |name: &str, text: String| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            Some(file)
        };
        let (certificate_file, own) = (
            put("certificate.pem", one.cert.pem()),
            put("own.pem", one.signing_key.serialize_pem()),
        );
        let other = put("other.pem", two.signing_key.serialize_pem());
        let now = Timestamp::from_seconds(1_900_000_000);
        let tls = |private_key_file| Tls {
            certificate_file: certificate_file.clone(),
            private_key_file,
            ..Tls::default()
        };
        assert_eq!(check(&Tls::default(), now), None, "there is none");
        assert_eq!(check(&tls(own), now).unwrap().level, Level::Ok);
        let found = check(&tls(other), now).unwrap();
        assert!(
            found.level == Level::Error && found.says.contains("another certificate"),
            "{found:?}"
        );
        let found = check(&tls(Some(Path::new("/nowhere").to_owned())), now).unwrap();
        assert!(
            found.level == Level::Error && found.says.contains("http.tls.private_key_file"),
            "{found:?}"
        );
    }
}
