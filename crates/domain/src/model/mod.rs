//! The model: accounts, sessions, ids and values. No I/O and no clock.

mod email;
mod fields;
mod hosts;
mod ids;
mod session;
mod timestamp;
mod user;

pub use email::EmailAddress;
pub use fields::{FieldError, Label, Password, PasswordHash, WebUrl};
pub use ids::{DeviceId, Epoch, Generation, SessionId, TokenId, UserId};
pub use session::{ClientInfo, EndReason, Ending, Session, SessionRecord, Standing, WebOrigin};
pub use timestamp::Timestamp;
pub use user::{Credentials, Details, DetailsChange, KnownDevice, User};
