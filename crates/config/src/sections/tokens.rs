//! `[tokens]`: tokens and the keys that sign them.

use super::Rule;
use crate::{Config, ConfigError, Hidden, Human, HumanOption, Secret};
use revolve_domain::{
    keys::{Algorithm, KeyPolicy},
    policy::SessionPolicy,
};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use std::{path::PathBuf, time::Duration};

/// `[tokens]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The `iss` claim, a URL; if it is https, cookies are marked `Secure`.
    pub issuer: String,
    /// The `aud` claim of ID tokens.
    pub audience: String,
    /// The algorithm of new keys for ID tokens: RS256, PS256, ES256 or Ed25519; EdDSA is the older name of Ed25519.
    #[schemars(extend("enum" = Algorithm::ALL.map(Algorithm::name)))]
    pub algorithm: String,
    /// The private key that signs ID tokens, in PEM form. Without it keys are kept in the user database.
    #[schemars(with = "Hidden")]
    pub signing_key: Option<SecretString>,
    /// The same as a file.
    pub signing_key_file: Option<PathBuf>,
    /// Keys that verify ID tokens and are published with the others, as PEM files, private or public, with the algorithm
    /// in front if it is not the usual one of the key's type: `PS256:old.pem`.
    pub retired_keys_files: Vec<String>,
    /// Life of an ID token, 1 s to 24 h; 15 min.
    #[serde(with = "Human")]
    pub id_lifetime: Duration,
    /// Life of a reauthentication, for what is sensitive; 5 min.
    #[serde(with = "Human")]
    pub reauthentication_lifetime: Duration,
    /// Life of a refresh token since its issue; 3 days.
    #[serde(with = "Human")]
    pub refresh_lifetime: Duration,
    /// How long a stored key signs before the next one takes over; none: until `revolve keys rotate`.
    #[serde(with = "HumanOption")]
    pub rotate_every: Option<Duration>,
    /// How long others may cache the key set; 5 min. A new key is published for longer than that before it signs.
    #[serde(with = "Human")]
    pub key_set_max_age: Duration,
    /// How often to look for keys that other replicas changed; 10 s.
    #[serde(with = "Human")]
    pub key_refresh: Duration,
    /// How far replicas may lag or their clocks differ; 1 min. At least twice `key_refresh`.
    #[serde(with = "Human")]
    pub key_margin: Duration,
    /// How long an end on another replica may go unnoticed in the revocation feed; 500 ms. Each replica reads the user
    /// database as often, while a client reads its feed.
    #[serde(with = "Human")]
    pub feed_interval: Duration,
}

impl Default for Tokens {
    fn default() -> Self {
        let policy = SessionPolicy::default();
        Self {
            issuer: "http://localhost:8080".to_owned(),
            audience: "revolve".to_owned(),
            algorithm: "RS256".to_owned(),
            signing_key: None,
            signing_key_file: None,
            retired_keys_files: Vec::new(),
            id_lifetime: policy.id_lifetime,
            reauthentication_lifetime: policy.reauthentication_lifetime,
            refresh_lifetime: policy.refresh_lifetime,
            rotate_every: None,
            key_set_max_age: Duration::from_mins(5),
            key_refresh: Duration::from_secs(10),
            key_margin: Duration::from_mins(1),
            feed_interval: Duration::from_millis(500),
        }
    }
}

impl Tokens {
    /// The issuer's origin as browsers send it (RFC 6454 §6.2): scheme, host and port.
    pub fn origin(&self) -> String {
        let issuer = url::Url::parse(&self.issuer);
        issuer.map_or_else(
            |_| "null".to_owned(),
            |issuer| issuer.origin().ascii_serialization(),
        )
    }

    /// How long keys live.
    pub fn key_policy(&self) -> KeyPolicy {
        KeyPolicy {
            key_set_max_age: self.key_set_max_age,
            margin: self.key_margin,
            id_lifetime: self.id_lifetime,
            refresh_lifetime: self.refresh_lifetime,
            rotate_every: self.rotate_every,
        }
    }

    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let second = Duration::from_secs(1);
        let lead = self.key_set_max_age.saturating_add(self.key_margin);
        vec![
            (
                (second..=SessionPolicy::LONGEST_ID_LIFETIME).contains(&self.id_lifetime),
                "tokens.id_lifetime: must be from 1s to 24h; the revocation feed covers no more. Refresh tokens keep users signed in for longer",
            ),
            (
                self.reauthentication_lifetime >= second,
                "tokens.reauthentication_lifetime: must be at least 1s",
            ),
            (
                self.refresh_lifetime >= second,
                "tokens.refresh_lifetime: must be at least 1s",
            ),
            (
                is_issuer(&self.issuer),
                "tokens.issuer: must be an http or https URL, without query and fragment, such as https://accounts.example.org",
            ),
            (
                !self.audience.is_empty(),
                "tokens.audience: must not be empty",
            ),
            (
                self.feed_interval >= Duration::from_millis(50),
                "tokens.feed_interval: must be at least 50ms",
            ),
            (
                self.key_refresh >= Duration::from_millis(10),
                "tokens.key_refresh: must be at least 10ms",
            ),
            (
                self.key_margin >= self.key_refresh.saturating_mul(2),
                "tokens.key_margin: must be at least twice tokens.key_refresh",
            ),
            (
                self.rotate_every.is_none_or(|every| every > lead),
                "tokens.rotate_every: must be more than tokens.key_set_max_age and tokens.key_margin together",
            ),
        ]
    }
}

impl Config {
    /// The private key that signs ID tokens, if one is given.
    ///
    /// # Errors
    /// [`ConfigError`] if its file can't be read.
    pub fn signing_key(&self) -> Result<Secret, ConfigError> {
        Secret::resolve(
            "tokens.signing_key",
            self.tokens.signing_key.as_ref(),
            self.tokens.signing_key_file.as_ref(),
        )
    }
}

/// RFC 8414 §2 asks for https; plain http is for trying it out.
fn is_issuer(text: &str) -> bool {
    let web = |url: url::Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    url::Url::parse(text).is_ok_and(web)
}
