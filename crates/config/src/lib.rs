//! The configuration: built-in defaults, then files, then the environment. Unknown keys are refused; secrets can also be
//! read from files. One file per section. What is in here with secrets is dropped after wiring.
//!
//! A new key needs a comment (what it does, its unit, its default) and nothing else: schema, reference and `revolve config`
//! follow from the types ([`document`]). Durations and secrets say that they are some ([`Human`], [`Hidden`]); an enum needs
//! `Serialize`, so that its default is known; `#[schemars(extend("x-reload" = true))]` says that SIGHUP is enough. A new
//! section derives `Deserialize` and `JsonSchema`, is a member of [`Config`], and has its `rules()`, if any, called there. Then
//! `REVOLVE_UPDATE=1 cargo nextest run -p revolve-config -E 'test(document)'` writes the files anew.

mod document;
mod error;
mod human;
mod load;
mod secret;
mod sections;

pub use document::{reference, schema};
pub use error::{ConfigError, Mistake, Origin};
pub use human::{Hidden, Human, HumanOption};
pub use load::{Change, Check, Effective, Loaded, Setting};
pub use secret::Secret;
pub use sections::{
    Accounts, ForwardedHeader, Hashing, Http, Import, Journal, Limits, Log, LogFormat, Mail,
    MailLinks, Operators, Pages, Passkeys, Passwords, Postgres, Profile, RateSetting, Redis,
    RedisModeName, RequireFactorName, ReusePolicyName, Secrets, Sentinel, Sessions, Tls, Tokens,
    Traces, VerificationName, Webhooks,
};

use schemars::JsonSchema;
use serde::Deserialize;
use std::path::PathBuf;

/// The whole configuration.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which stores the service runs on.
    pub profile: Profile,
    /// Where the embedded profile keeps its database and keys; `data` below the working directory.
    pub data_dir: PathBuf,
    /// What everything else is derived from.
    pub secrets: Secrets,
    /// Who issues tokens and for whom, how long they live, and the keys that sign them.
    pub tokens: Tokens,
    /// How long sessions live, how many there may be, and the windows for retries.
    pub sessions: Sessions,
    /// The listeners and what clients may ask of them.
    pub http: Http,
    /// The white list of the server profile; the embedded one does not look at it.
    pub redis: Redis,
    /// The user database of the server profile; the embedded one does not look at it.
    pub postgres: Postgres,
    /// What a password hash costs, and how many are computed at once.
    pub hashing: Hashing,
    /// What the owner of an account has to prove.
    pub accounts: Accounts,
    /// For which domain passkeys are made, and where they may be used.
    pub passkeys: Passkeys,
    /// The system that imported accounts came from.
    pub import: Import,
    /// The list of what happened.
    pub journal: Journal,
    /// New passwords.
    pub passwords: Passwords,
    /// How often something may be tried.
    pub limits: Limits,
    /// Mails.
    pub mail: Mail,
    /// Pages for people.
    pub pages: Pages,
    /// Where events are sent, and how patiently.
    pub webhooks: Webhooks,
    /// The people who run the service.
    pub operators: Operators,
    /// Log lines.
    pub log: Log,
    /// Traces.
    pub traces: Traces,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            data_dir: PathBuf::from("data"),
            secrets: Secrets::default(),
            tokens: Tokens::default(),
            sessions: Sessions::default(),
            http: Http::default(),
            redis: Redis::default(),
            postgres: Postgres::default(),
            hashing: Hashing::default(),
            accounts: Accounts::default(),
            passkeys: Passkeys::default(),
            import: Import::default(),
            journal: Journal::default(),
            passwords: Passwords::default(),
            limits: Limits::default(),
            mail: Mail::default(),
            pages: Pages::default(),
            webhooks: Webhooks::default(),
            operators: Operators::default(),
            log: Log::default(),
            traces: Traces::default(),
        }
    }
}

impl Config {
    /// Every rule that is broken.
    fn broken_rules(&self) -> Vec<ConfigError> {
        let rules = [
            self.tokens.rules(),
            self.sessions.rules(),
            self.redis.rules(),
            self.postgres.rules(),
            self.http.rules(),
            self.hashing.rules(),
            self.import_rules(),
            self.journal.rules(),
            self.account_rules(),
            self.passkey_rules(),
            self.passwords.rules(),
            self.limits.rules(),
            self.mail.rules(),
            self.pages.rules(),
            self.webhooks.rules(&self.journal),
            self.operators.rules(),
            self.traces.rules(),
        ];
        rules
            .iter()
            .flatten()
            .filter(|(holds, _)| !holds)
            .map(|(_, rule)| ConfigError::new(rule))
            .collect()
    }
}
