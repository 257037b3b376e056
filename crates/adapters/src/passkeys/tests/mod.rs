//! Ceremonies with the testkit's authenticator, the specification's test vectors, and everything that must be refused.

mod hostile;
mod options;
mod refused;
mod vectors;

use super::{PasskiCeremonies, RelyingParty, refusal::Refusal};
use revolve_domain::{
    model::{PasskeyCredential, UserId},
    ports::{
        Ceremony, CeremonyState, CredentialRefused, PasskeyCeremonies, PasskeyOwner,
        VerifiedCredential,
    },
};
use revolve_testkit::authenticator::{KeyAlgorithm, VirtualAuthenticator};
use serde_json::{Value, json};
use uuid::uuid;

const ORIGIN: &str = "https://accounts.example.org";
const APP: &str = "android:apk-key-hash:sha256-pnTnAAm9pKrmyzVMuhSBTLmDmBi6bGTfhjNfxGqZ_eM";
const USER: UserId = UserId::from_uuid(uuid!("00112233-4455-6677-8899-aabbccddeeff"));

fn ceremonies() -> PasskiCeremonies {
    PasskiCeremonies::new(&RelyingParty {
        id: "example.org".to_owned(),
        name: "Example".to_owned(),
        origins: [ORIGIN, "https://shop.example.com", APP]
            .map(str::to_owned)
            .to_vec(),
    })
}

fn begin_registration(ceremonies: &PasskiCeremonies) -> Ceremony {
    let owner = PasskeyOwner {
        user: USER,
        name: "ann@example.org",
        display_name: "Ann",
        exclude: &[],
    };
    ceremonies.begin_registration(&owner).unwrap()
}

fn reason<T: std::fmt::Debug>(result: Result<T, CredentialRefused>) -> Refusal {
    let CredentialRefused(reason) = result.unwrap_err();
    *reason.downcast_ref::<Refusal>().unwrap()
}

/// A registration that is to be verified.
struct Registration {
    ceremonies: PasskiCeremonies,
    state: CeremonyState,
    credential: Value,
}

impl Registration {
    fn with(authenticator: &mut VirtualAuthenticator, origin: &str) -> Self {
        let ceremonies = ceremonies();
        let Ceremony { options, state } = begin_registration(&ceremonies);
        let credential = authenticator.create(&options, origin);
        Self {
            ceremonies,
            state,
            credential,
        }
    }

    fn new() -> Self {
        Self::with(&mut VirtualAuthenticator::default(), ORIGIN)
    }

    fn verify(&self, credential: &Value) -> Result<PasskeyCredential, CredentialRefused> {
        self.ceremonies.finish_registration(&self.state, credential)
    }
}

/// A sign-in that is to be verified, with a passkey that was registered.
struct SignIn {
    ceremonies: PasskiCeremonies,
    authenticator: VirtualAuthenticator,
    stored: PasskeyCredential,
    state: CeremonyState,
    options: Value,
}

impl SignIn {
    fn with(mut authenticator: VirtualAuthenticator) -> Self {
        let registration = Registration::with(&mut authenticator, ORIGIN);
        let stored = registration.verify(&registration.credential).unwrap();
        let ceremonies = registration.ceremonies;
        let Ceremony { options, state } = ceremonies.begin_sign_in(None).unwrap();
        Self {
            ceremonies,
            authenticator,
            stored,
            state,
            options,
        }
    }

    fn new() -> Self {
        Self::with(VirtualAuthenticator::default())
    }

    fn credential(&self) -> Value {
        self.authenticator.get(&self.options, ORIGIN).unwrap()
    }

    fn verify(&self, credential: &Value) -> Result<VerifiedCredential, CredentialRefused> {
        self.ceremonies
            .finish_sign_in(&self.state, &self.stored, credential)
    }
}

/// The credential with another value at this member of `response`.
fn with(credential: &Value, member: &str, value: impl Into<Value>) -> Value {
    let mut changed = credential.clone();
    changed["response"][member] = value.into();
    changed
}

#[test]
fn each_algorithm_registers_and_signs_in() {
    for (algorithm, number) in [
        (KeyAlgorithm::Es256, -7),
        (KeyAlgorithm::EdDsa, -8),
        (KeyAlgorithm::Rs256, -257),
    ] {
        let sign_in = SignIn::with(VirtualAuthenticator::with(|new| {
            new.algorithm = algorithm;
            new.aaguid = uuid!("fbfc3007-154e-4ecc-8c0b-6e020557d7bd");
        }));
        assert_eq!(sign_in.stored.algorithm, number);
        assert!(sign_in.stored.backup_eligible && sign_in.stored.backed_up);
        assert_eq!(sign_in.stored.transports.to_string(), "hybrid internal");
        let name = sign_in
            .ceremonies
            .authenticator_name(&sign_in.stored.aaguid);
        assert_eq!(name, Some("iCloud Keychain"));

        let credential = sign_in.credential();
        let claimed = sign_in.ceremonies.claimed(&credential).unwrap();
        assert_eq!(claimed.id, sign_in.stored.id);
        assert_eq!(claimed.user, Some(USER));
        let verified = sign_in.verify(&credential).unwrap();
        let expected = VerifiedCredential {
            counter: 0,
            counter_went_back: false,
            backed_up: true,
        };
        assert_eq!(verified, expected);
    }
}

#[test]
fn each_origin_of_the_list_counts_apps_of_android_too() {
    for origin in [ORIGIN, "https://shop.example.com", APP] {
        let mut authenticator = VirtualAuthenticator::default();
        let registration = Registration::with(&mut authenticator, origin);
        let stored = registration.verify(&registration.credential).unwrap();
        let Ceremony { options, state } = registration.ceremonies.begin_sign_in(None).unwrap();
        let credential = authenticator.get(&options, origin).unwrap();
        let verified = registration
            .ceremonies
            .finish_sign_in(&state, &stored, &credential);
        assert!(verified.is_ok(), "{origin}");
    }
}

#[test]
fn a_counter_that_went_back_is_told_and_not_refused() {
    for (stored, shown, went_back) in [
        (0, 0, false),
        (0, 1, false),
        (7, 8, false),
        (7, 7, true),
        (7, 6, true),
        (7, 0, true),
        (u32::MAX, 0, true),
    ] {
        let mut sign_in = SignIn::new();
        sign_in.stored.counter = stored;
        sign_in.authenticator.counter = shown;
        let verified = sign_in.verify(&sign_in.credential()).unwrap();
        assert_eq!(verified.counter, shown);
        assert_eq!(verified.counter_went_back, went_back, "{stored} → {shown}");
    }
}

#[test]
fn the_backup_state_may_change_and_eligibility_may_not() {
    let mut sign_in = SignIn::new();
    sign_in.authenticator.backed_up = false;
    assert!(!sign_in.verify(&sign_in.credential()).unwrap().backed_up);
    sign_in.authenticator.backup_eligible = false;
    let refused = sign_in.verify(&sign_in.credential());
    assert_eq!(reason(refused), Refusal::BackupFlags);

    let mut fixed = SignIn::with(VirtualAuthenticator::with(|new| {
        new.backup_eligible = false;
        new.backed_up = false;
    }));
    assert!(fixed.verify(&fixed.credential()).is_ok());
    fixed.authenticator.backup_eligible = true;
    let refused = fixed.verify(&fixed.credential());
    assert_eq!(reason(refused), Refusal::BackupFlags);
    // A copy of what can't be copied (§6.1.3).
    fixed.authenticator.backup_eligible = false;
    fixed.authenticator.backed_up = true;
    let refused = fixed.verify(&fixed.credential());
    assert_eq!(reason(refused), Refusal::BackupFlags);
}

/// Browsers write more members, and leave out those that are optional.
#[test]
fn members_that_do_not_count_may_be_there_or_not() {
    let registration = Registration::new();
    let mut more = registration.credential.clone();
    more["clientExtensionResults"] = json!({ "credProps": { "rk": "perhaps" }, "prf": 7 });
    more["response"]["publicKeyAlgorithm"] = json!("a text");
    more["later"] = json!([[[]]]);
    assert!(registration.verify(&more).is_ok());
    let mut fewer = registration.credential.clone();
    fewer["response"]["transports"] = Value::Null;
    let members = fewer.as_object_mut().unwrap();
    members.remove("clientExtensionResults");
    members.remove("authenticatorAttachment");
    assert!(registration.verify(&fewer).is_ok());

    let sign_in = SignIn::new();
    let credential = with(&sign_in.credential(), "userHandle", Value::Null);
    assert!(sign_in.verify(&credential).is_ok());
    let claimed = sign_in.ceremonies.claimed(&credential).unwrap();
    assert_eq!(claimed.user, None);
}
