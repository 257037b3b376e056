//! What the service does, one use case per file: a struct with exactly the ports it uses and one method, `execute`.

mod authenticate;
mod begin;
mod change_password;
mod clear;
mod delete_account;
mod error;
mod keep_keys;
mod manage_keys;
mod me;
mod mint;
mod prune;
mod refresh;
mod sessions;
mod sign_in;
mod sign_out;
mod sign_up;
mod update_details;
mod verify;

pub use authenticate::{Authenticate, Authenticated};
pub use begin::{Begun, IssuedDevice, SignInRequest};
pub use change_password::{ChangePassword, ChangePasswordError, ChangePasswordRequest};
pub use clear::Clear;
pub use delete_account::{DeleteAccount, DeleteAccountError};
pub use error::{Failure, Refusal, Refused};
pub use keep_keys::{KeepKeys, KeyChange, KeysFailed};
pub use manage_keys::{ManageKeys, NotDone, RetireOutcome, RotateOutcome};
pub use me::Me;
pub use mint::{Mint, TokenPair};
pub use prune::Prune;
pub use refresh::{Refresh, RefreshRequest, Refreshed};
pub use sessions::{EndSession, EndSessionError, ListSessions, SessionView};
pub use sign_in::{SignIn, SignInError};
pub use sign_out::{SignOut, SignOutScope};
pub use sign_up::{SignUp, SignUpError};
pub use update_details::{UpdateDetails, UpdateDetailsError, UpdateDetailsRequest};
