//! The ports: what the domain needs from outside, as traits. A method is one atomic intent; its `Ok` is the business outcome, its
//! error is a failure that keeps its source. All traits are object-safe: the backend is chosen at run time.

mod api_keys;
mod clearing;
mod crypto;
mod decorator;
mod deliveries;
mod directory;
mod error;
mod events;
mod factors;
mod journal;
mod keys;
mod legacy;
mod limits;
mod mail;
mod no_proofs;
mod personal_data;
mod proofs;
mod revocations;
mod sessions;
mod system;
mod tokens;
mod users;
mod webhooks;

pub use crate::journal::{
    ChangedFields, EventFields, JournalRecord, Journaled, SecurityEvent, Severity,
};
pub use api_keys::{
    ApiKeys, Claim, NamedRequest, NamedRequests, REQUESTS_KEPT, RevokeOutcome, StoredApiKey,
};
pub use clearing::{Clearing, Clearings};
pub use crypto::{
    DeviceCredentials, HashFlow, IdClaims, KeySet, PasswordCheck, PasswordHasher, PasswordStrength,
    PasswordVerdict, ReauthenticationClaims, RefreshClaims, SignError, TokenCodec, TokenRejected,
    VerifiedId,
};
pub use decorator::{Decorator, PortFuture};
pub use deliveries::{Deliveries, MailBell, MailProofs};
pub use directory::{
    AccountDirectory, AccountQuery, ChangeOutcome, DisableOutcome, EnableOutcome, OperatorChange,
};
pub use error::{StoreError, StoreErrorKind};
pub use events::SecurityEvents;
pub use factors::*;
pub use journal::{Followed, Journal, JournalCursor, JournalQuery};
pub use keys::{KeyFault, KeyMaker, KeyOutcome, KeyRepository, KeyRing, NewKey, RevokedKeys};
pub use legacy::LegacyVerifier;
pub use limits::{BucketLevel, EmptyBucket, RateLimiter, Take, TakeOutcome};
pub use mail::{Mail, MailError, MailProof, Mailer};
pub use no_proofs::NoProofs;
pub use personal_data::{PersonalData, QuietNotice, RememberedDevice};
pub use proofs::{
    AddressChange, AddressOutcome, Invitation, OpenProof, ProofSecrets, Proofs, ProvedSignIn,
    ProvedSignUp, Recovery, RecoveryOutcome, RecoveryStep, SignUpOutcome, StandingProof,
    VerifyOutcome,
};
pub use revocations::RevocationSigner;
pub use sessions::{BeginOutcome, BeginSession, EndOutcome, SessionRepository};
pub use system::{Clock, Entropy};
pub use tokens::{LiveSession, NewLiveSession, TokenRepository};
pub use users::{
    AddOutcome, Asking, CreateOutcome, PasswordChange, PasswordOutcome, UpdateOutcome,
    UserRepository,
};
pub use webhooks::{
    CallError, NewWebhookSecret, SecretFault, TargetRefused, WebhookCall, WebhookReply,
    WebhookSecrets, WebhookSender, Webhooks,
};
