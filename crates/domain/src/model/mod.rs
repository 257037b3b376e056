//! The model: accounts, sessions, ids and values. No I/O and no clock.

mod auth_method;
mod characters;
mod email;
mod field_error;
mod hosts;
mod ids;
mod label;
mod locale;
mod password;
mod proof;
mod session;
mod timestamp;
mod user;
mod web_url;

pub use auth_method::AuthMethods;
pub use email::EmailAddress;
pub use field_error::FieldError;
pub use ids::{
    DeliveryId, DeviceId, Epoch, EventId, Generation, ProofId, SessionId, TokenId, UserId,
};
pub use label::Label;
pub use locale::{Locale, LocaleError};
pub use password::{Password, PasswordHash};
pub use proof::{Binding, Fingerprint, Proof, ProofPurpose, ProofVersion};
pub use session::{ClientInfo, EndReason, Ending, Session, SessionRecord, Standing, WebOrigin};
pub use timestamp::Timestamp;
pub use user::{Credentials, Details, DetailsChange, KnownDevice, User};
pub use web_url::WebUrl;
