//! The model: accounts, sessions, ids and values. No I/O and no clock.

mod api_key;
mod app_data;
mod auth_method;
mod characters;
mod disabled_reason;
mod email;
mod factors;
mod field_error;
mod hosts;
mod ids;
mod label;
mod locale;
mod password;
mod proof;
mod roles;
mod sealed_key;
mod session;
mod timestamp;
mod user;
mod web_url;

pub use api_key::{ApiKey, ApiKeyScope, ApiKeyStanding, ShownApiKey, UnknownScope};
pub use app_data::{AppData, AppPatch};
pub use auth_method::AuthMethods;
pub use disabled_reason::DisabledReason;
pub use email::EmailAddress;
pub use factors::{
    AccountFactors, CeremonyState, Challenge, ChallengeKind, ChallengedDevice, ChallengedUser,
    CodeMac, CredentialDescriptor, CredentialId, CredentialKey, FactorKind, OneTimeCode, Passkey,
    PasskeyCredential, PendingReset, RecoveryCode, RecoveryCodes, SetUpFactors, SignUpIntent, Totp,
    TotpStep, Transports,
};
pub use field_error::FieldError;
pub use ids::{
    AccountVersion, ApiKeyId, ChallengeId, DeliveryId, DeviceId, Epoch, EventId, Generation,
    InvalidId, PasskeyId, ProofId, SessionId, TokenId, UserId, WebhookId,
};
pub use label::Label;
pub use locale::{Locale, LocaleError};
pub use password::{HashKind, Password, PasswordHash};
pub use proof::{Binding, Fingerprint, Proof, ProofPurpose, ProofVersion};
pub use roles::{Role, Roles, RolesPatch};
pub use sealed_key::SealedKey;
pub use session::{ClientInfo, EndReason, Ending, Session, SessionRecord, Standing, WebOrigin};
pub use timestamp::Timestamp;
pub use user::{AccountChange, Credentials, Details, DetailsChange, KnownDevice, User};
pub use web_url::WebUrl;
