//! The model: accounts, sessions, ids and values. No I/O and no clock.

mod auth_method;
mod email;
mod fields;
mod hosts;
mod ids;
mod locale;
mod proof;
mod session;
mod timestamp;
mod user;

pub use auth_method::{AuthMethod, AuthMethods};
pub use email::EmailAddress;
pub use fields::{FieldError, Label, Password, PasswordHash, WebUrl};
pub use ids::{
    DeliveryId, DeviceId, Epoch, EventId, Generation, ProofId, SessionId, TokenId, UserId,
};
pub use locale::{Locale, LocaleError};
pub use proof::{Binding, Fingerprint, Proof, ProofPurpose, ProofVersion};
pub use session::{ClientInfo, EndReason, Ending, Session, SessionRecord, Standing, WebOrigin};
pub use timestamp::Timestamp;
pub use user::{Credentials, Details, DetailsChange, KnownDevice, User};
