//! The model: accounts, sessions, ids and values. No I/O and no clock.

mod fields;
mod ids;
mod session;
mod timestamp;
mod user;

pub use fields::{EmailAddress, FieldError, Label, Password, PasswordHash, WebUrl};
pub use ids::{DeviceId, Epoch, Generation, SessionId, TokenId, UserId};
pub use session::{ClientInfo, EndReason, Ending, Session, SessionRecord, Standing, WebOrigin};
pub use timestamp::Timestamp;
pub use user::{Credentials, Details, DetailsChange, KnownDevice, User};
