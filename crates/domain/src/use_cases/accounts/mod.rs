//! Accounts: sign-up, sign-in, changes and the end of an account, and what operators do with accounts.

mod add_account;
mod begin_session;
mod change_account;
mod change_password;
mod confirm_sign_up;
mod create_account;
mod current_password;
mod delete_account;
mod export_account;
mod import_account;
mod manage_accounts;
mod me;
mod new_account;
mod password_context;
mod reauthenticate;
mod reauthentication;
mod recovery_links;
mod request_sign_in_code;
mod session_starter;
mod sign_in;
mod sign_in_by_code;
mod sign_up;
mod sign_up_by_passkey;
mod update_details;

pub use add_account::{AddAccount, AddAccountError, AddAccountRequest, FirstAccess};
pub(super) use begin_session::{NotBegun, ProvedUser, Spends};
pub use change_account::{AccountPatch, ChangeAccount, ChangeAccountError};
pub use change_password::{ChangePassword, ChangePasswordError, ChangePasswordRequest};
pub use confirm_sign_up::{ConfirmSignUp, ConfirmSignUpError, ConfirmSignUpRequest};
pub use create_account::{CreateAccount, CreateAccountError, RequestName};
pub use delete_account::{DeleteAccount, DeleteAccountError};
pub use export_account::{AccountExport, ExportAccount, ExportAccountError};
pub use import_account::{ImportAccount, ImportOutcome, ImportRequest};
pub use manage_accounts::{
    AccountName, AccountPage, HistoricSession, ManageAccounts, SessionHistory, SessionState,
};
pub use me::Me;
pub(super) use password_context::PasswordContext;
pub use reauthenticate::{
    Reauthenticate, ReauthenticateError, ReauthenticateRequest, Reauthenticated,
    ReauthenticationWays,
};
pub(super) use reauthentication::Reauthentication;
pub use recovery_links::{RecoveryLink, RecoveryLinkError, RecoveryLinks};
pub use request_sign_in_code::{RequestSignInCode, RequestSignInCodeError, SignInCodeRequest};
pub use session_starter::{Begun, IssuedDevice, SignInRequest};
pub(super) use session_starter::{NewSession, PreparedSession, SessionStarter};
pub use sign_in::{SignIn, SignInError};
pub use sign_in_by_code::{SignInByCode, SignInByCodeError, SignInByCodeRequest};
pub use sign_up::{SignUp, SignUpError, SignedUp};
pub use sign_up_by_passkey::PasskeySignUpRequest;
pub use update_details::{UpdateDetails, UpdateDetailsError, UpdateDetailsRequest, UpdatedDetails};
