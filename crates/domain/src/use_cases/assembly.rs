//! The one place that makes use cases out of ports. The service, operators' commands, the test world and embedding programs
//! call it.

use super::{
    Activity, AddAccount, Authenticate, ChangePassword, Clear, ConfirmEmail, ConfirmSignUp,
    DeleteAccount, DisownEmail, EndSession, ImportAccount, ListSessions, ManageAccounts, Me,
    OperatorPorts, Prune, Reauthenticate, Recover, Refresh, RequestRecovery, RequestSignInCode,
    RequestVerification, RevocationFeed, ServicePorts, SignIn, SignInByCode, SignOut, SignUp,
    UpdateDetails,
};
use crate::ports::{
    AccountDirectory, Clearings, PasswordHasher, PasswordStrength, SessionRepository,
    TokenRepository,
};
use std::sync::Arc;

/// Declares the struct of all use cases, how it is made, and how each is found in it by its type.
macro_rules! use_cases {
    ($($name:ident: $type:ident,)*) => {
        /// The use cases of the service, each also available by its type through [`AsRef`].
        pub struct UseCases {
            $(
                #[doc = concat!("[`", stringify!($type), "`]")]
                pub $name: $type,
            )*
        }

        impl UseCases {
            /// Makes every use case out of these ports.
            pub fn new(ports: &ServicePorts) -> Self {
                Self { $($name: $type::new(ports),)* }
            }
        }

        $(
            impl AsRef<$type> for UseCases {
                fn as_ref(&self) -> &$type {
                    &self.$name
                }
            }
        )*
    };
}

use_cases! {
    sign_up: SignUp,
    confirm_sign_up: ConfirmSignUp,
    sign_in: SignIn,
    request_sign_in_code: RequestSignInCode,
    sign_in_by_code: SignInByCode,
    request_verification: RequestVerification,
    confirm_email: ConfirmEmail,
    disown_email: DisownEmail,
    request_recovery: RequestRecovery,
    recover: Recover,
    refresh: Refresh,
    sign_out: SignOut,
    me: Me,
    reauthenticate: Reauthenticate,
    update_details: UpdateDetails,
    change_password: ChangePassword,
    delete_account: DeleteAccount,
    list_sessions: ListSessions,
    activity: Activity,
    end_session: EndSession,
    authenticate: Authenticate,
    clear: Clear,
    prune: Prune,
    revocation_feed: RevocationFeed,
}

/// The use cases of operators. Each asks for the ports that only it needs, so that a command opens nothing else.
impl OperatorPorts {
    /// Imports accounts.
    pub fn import_account(&self) -> ImportAccount {
        ImportAccount::new(self)
    }

    /// Adds accounts by the rules of a sign-up.
    pub fn add_account(
        &self,
        hasher: Arc<dyn PasswordHasher>,
        strength: Arc<dyn PasswordStrength>,
    ) -> AddAccount {
        AddAccount::new(self, hasher, strength)
    }

    /// Manages accounts and their sessions.
    pub fn manage_accounts(
        &self,
        directory: Arc<dyn AccountDirectory>,
        sessions: Arc<dyn SessionRepository>,
        tokens: Arc<dyn TokenRepository>,
        clearings: Arc<dyn Clearings>,
    ) -> ManageAccounts {
        ManageAccounts::new(self, directory, sessions, tokens, clearings)
    }
}
