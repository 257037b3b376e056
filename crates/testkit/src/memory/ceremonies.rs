//! Ceremonies of passkeys with a checksum in place of a signature, and an authenticator for them.

use super::{
    lock,
    tag::{decode, encode, tag},
};
use revolve_domain::{
    model::{
        CeremonyState, CredentialDescriptor, CredentialId, CredentialKey, PasskeyCredential,
        Transports, UserId,
    },
    ports::{
        Ceremony, ClaimedCredential, CredentialRefused, FactorFault, PasskeyCeremonies,
        PasskeyOwner, VerifiedCredential,
    },
};
use serde_json::{Value, json};
use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};
use uuid::Uuid;

/// Begins and verifies ceremonies. For tests only: what it verifies is not WebAuthn.
#[derive(Debug, Default)]
pub struct TestCeremonies {
    begun: AtomicU64,
}

impl TestCeremonies {
    fn begin(&self, kind: &str, options: Value) -> Result<Ceremony, FactorFault> {
        let number = self.begun.fetch_add(1, Ordering::Relaxed).to_string();
        let challenge = tag("challenge", &number);
        let state = format!("{kind} {challenge}").into_bytes();
        let mut options = options;
        options["challenge"] = challenge.into();
        Ok(Ceremony {
            options,
            state: CeremonyState::from_bytes(state)
                .ok_or_else(|| FactorFault::NotMade("too long".into()))?,
        })
    }
}

fn refused(why: &'static str) -> CredentialRefused {
    CredentialRefused(why.into())
}

fn text<'a>(credential: &'a Value, member: &str) -> Result<&'a str, CredentialRefused> {
    credential[member]
        .as_str()
        .ok_or_else(|| refused("a member is missing"))
}

fn id(credential: &Value) -> Result<CredentialId, CredentialRefused> {
    decode(text(credential, "id")?)
        .and_then(CredentialId::from_bytes)
        .ok_or_else(|| refused("the id is none"))
}

/// Whether the credential answers this state.
fn answers(kind: &str, state: &CeremonyState, credential: &Value) -> Result<(), CredentialRefused> {
    let expected = format!("{kind} {}", text(credential, "challenge")?);
    if state.as_bytes() != expected.as_bytes() {
        return Err(refused("it answers another challenge"));
    }
    let is_verified = credential["verified"].as_bool().unwrap_or_default();
    is_verified
        .then_some(())
        .ok_or_else(|| refused("the user is not verified"))
}

impl PasskeyCeremonies for TestCeremonies {
    fn begin_registration(&self, owner: &PasskeyOwner<'_>) -> Result<Ceremony, FactorFault> {
        let excluded: Vec<_> = owner
            .exclude
            .iter()
            .map(|known| encode(known.id.as_bytes()))
            .collect();
        let options = json!({ "user": owner.user, "name": owner.name, "exclude": excluded });
        self.begin("create", options)
    }

    fn finish_registration(
        &self,
        state: &CeremonyState,
        credential: &Value,
    ) -> Result<PasskeyCredential, CredentialRefused> {
        answers("create", state, credential)?;
        let key = text(credential, "key")?.as_bytes().to_vec();
        Ok(PasskeyCredential {
            id: id(credential)?,
            key: CredentialKey::from_bytes(key).ok_or_else(|| refused("the key is too long"))?,
            algorithm: -7,
            aaguid: Uuid::nil(),
            counter: 0,
            backup_eligible: credential["backup"].as_bool().unwrap_or_default(),
            backed_up: false,
            transports: Transports::named(["internal"]),
        })
    }

    fn begin_sign_in(
        &self,
        allowed: Option<&[CredentialDescriptor]>,
    ) -> Result<Ceremony, FactorFault> {
        let allowed = allowed.map(|allowed| {
            let ids = allowed.iter().map(|known| encode(known.id.as_bytes()));
            ids.collect::<Vec<_>>()
        });
        self.begin("get", json!({ "allow": allowed }))
    }

    fn claimed(&self, credential: &Value) -> Result<ClaimedCredential, CredentialRefused> {
        let user = text(credential, "user")?.parse();
        Ok(ClaimedCredential {
            id: id(credential)?,
            user: Some(user.map_err(|_| refused("the user handle is none of ours"))?),
        })
    }

    fn finish_sign_in(
        &self,
        state: &CeremonyState,
        stored: &PasskeyCredential,
        credential: &Value,
    ) -> Result<VerifiedCredential, CredentialRefused> {
        answers("get", state, credential)?;
        if id(credential)? != stored.id {
            return Err(refused("it is another credential"));
        }
        let counter = credential["counter"].as_u64().unwrap_or_default();
        let signed = format!("{} {counter}", text(credential, "challenge")?);
        let key = String::from_utf8_lossy(stored.key.as_bytes());
        if tag(&key, &signed) != text(credential, "signature")? {
            return Err(refused("the signature is wrong"));
        }
        let counter = u32::try_from(counter).map_err(|_| refused("the counter is too large"))?;
        Ok(VerifiedCredential {
            counter,
            counter_went_back: (counter != 0 || stored.counter != 0) && counter <= stored.counter,
            backed_up: stored.backup_eligible,
        })
    }

    fn authenticator_name(&self, _: &Uuid) -> Option<&str> {
        Some("Test authenticator")
    }
}

/// A passkey in an authenticator.
#[derive(Clone, Debug)]
struct Held {
    id: String,
    key: String,
    user: UserId,
    counter: u64,
}

/// An authenticator for [`TestCeremonies`], which may hold passkeys of several accounts.
#[derive(Debug)]
pub struct TestAuthenticator {
    name: String,
    verifies: bool,
    backup: bool,
    held: Mutex<Vec<Held>>,
}

impl TestAuthenticator {
    /// One that verifies its user. No two of one name hold different passkeys.
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            verifies: true,
            backup: false,
            held: Mutex::default(),
        }
    }

    /// The same, whose passkeys may be copied to others.
    #[must_use]
    pub fn synced(self) -> Self {
        Self {
            backup: true,
            ..self
        }
    }

    /// The same, without a verification of its user.
    #[must_use]
    pub fn unverified(self) -> Self {
        Self {
            verifies: false,
            ..self
        }
    }

    /// Makes a passkey: answers the registration with these options.
    ///
    /// # Panics
    /// If they are not options of a registration.
    pub fn create(&self, options: &Value) -> Value {
        let mut held = lock(&self.held);
        let user: UserId = options["user"]
            .as_str()
            .and_then(|user| user.parse().ok())
            .expect("options of a registration");
        let key = tag(&self.name, &format!("{user} {}", held.len()));
        let id = encode(format!("id of {key}").as_bytes());
        held.push(Held {
            id: id.clone(),
            key: key.clone(),
            user,
            counter: 0,
        });
        json!({
            "id": id,
            "key": key,
            "challenge": options["challenge"],
            "verified": self.verifies,
            "backup": self.backup,
        })
    }

    /// Signs in: answers with the newest passkey that these options allow.
    ///
    /// # Panics
    /// If it holds none.
    pub fn get(&self, options: &Value) -> Value {
        let mut held = lock(&self.held);
        let allowed = options["allow"].as_array();
        let is_allowed = |held: &&mut Held| {
            allowed.is_none_or(|allowed| allowed.iter().any(|id| *id == held.id.as_str()))
        };
        let mut found = held.iter_mut().rev().filter(is_allowed);
        let found = found.next().expect("a passkey that is allowed");
        found.counter += 1;
        let challenge = options["challenge"].as_str().unwrap_or_default();
        let signed = format!("{challenge} {}", found.counter);
        json!({
            "id": found.id,
            "user": found.user,
            "challenge": challenge,
            "counter": found.counter,
            "verified": self.verifies,
            "signature": tag(&found.key, &signed),
        })
    }

    /// Sets the signature counters, as a copy of the authenticator has them.
    pub fn rewind(&self, counter: u64) {
        for held in &mut *lock(&self.held) {
            held.counter = counter;
        }
    }
}
