//! The one place that makes use cases out of ports. The service, operators' commands, the test world and embedding programs
//! call it.

use super::{
    Activity, AddAccount, AdminPorts, ApplyFactorResets, Authenticate, AuthenticateKey,
    BeginPasskeySignIn, BeginSignUpPasskey, ChangeAccount, ChangePassword, Clear, ConfirmEmail,
    ConfirmSignUp, CreateAccount, DeleteAccount, DisownEmail, EndSession, ExportAccount,
    ImportAccount, IntrospectToken, ListSessions, ManageAccounts, ManageApiKeys, ManageDeliveries,
    ManageFactors, ManagePasskeys, ManageTotp, ManageWebhooks, Me, OperatorPorts, Prune,
    ReadFactors, ReadJournal, Reauthenticate, Recover, RecoveryLinks, Refresh,
    ReplaceRecoveryCodes, RequestRecovery, RequestSignInCode, RequestVerification, RevocationFeed,
    RevokeToken, ServicePorts, SignIn, SignInByCode, SignInByFactor, SignInByPasskey, SignOut,
    SignUp, StopFactorReset, UpdateDetails,
};
use crate::ports::{
    AccountDirectory, ApiKeys, Clearings, Factors, PasswordHasher, PasswordStrength, ProofSecrets,
    Proofs, SessionRepository, TokenRepository,
};
use std::{sync::Arc, time::Duration};

/// Declares a struct of use cases, how it is made of its ports, and how each is found in it by its type.
macro_rules! use_cases {
    ($(#[$doc:meta])* $all:ident($ports:ident: $all_ports:ty) { $($name:ident: $type:ident $(= $make:expr)?,)* }) => {
        $(#[$doc])*
        pub struct $all {
            $(
                #[doc = concat!("[`", stringify!($type), "`]")]
                pub $name: $type,
            )*
        }

        impl $all {
            /// Makes every use case out of these ports.
            pub fn new($ports: &$all_ports) -> Self {
                Self { $($name: use_cases!(@make $type $ports $($make)?),)* }
            }
        }

        $(
            impl AsRef<$type> for $all {
                fn as_ref(&self) -> &$type {
                    &self.$name
                }
            }
        )*
    };
    (@make $type:ident $ports:ident) => { $type::new($ports) };
    (@make $type:ident $ports:ident $make:expr) => { $make };
}

use_cases! {
    /// The use cases of the service, each also available by its type through [`AsRef`].
    UseCases(ports: ServicePorts) {
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
        export_account: ExportAccount,
        delete_account: DeleteAccount,
        list_sessions: ListSessions,
        activity: Activity,
        end_session: EndSession,
        revoke_token: RevokeToken,
        authenticate: Authenticate,
        read_factors: ReadFactors,
        manage_totp: ManageTotp,
        manage_passkeys: ManagePasskeys,
        replace_recovery_codes: ReplaceRecoveryCodes,
        sign_in_by_factor: SignInByFactor,
        begin_passkey_sign_in: BeginPasskeySignIn,
        sign_in_by_passkey: SignInByPasskey,
        begin_sign_up_passkey: BeginSignUpPasskey,
        stop_factor_reset: StopFactorReset,
        apply_factor_resets: ApplyFactorResets,
        clear: Clear,
        prune: Prune,
        revocation_feed: RevocationFeed,
    }
}

use_cases! {
    /// The use cases of operators' programs, which show a key, each also available by its type through [`AsRef`].
    AdminUseCases(ports: AdminPorts) {
        authenticate_key: AuthenticateKey = AuthenticateKey::new(&ports.service, ports.api_keys.clone()),
        introspect_token: IntrospectToken = IntrospectToken::new(&ports.service),
        manage_accounts: ManageAccounts = ports.operators().manage_accounts(
            ports.directory.clone(),
            ports.service.sessions.clone(),
            ports.service.tokens.clone(),
            ports.service.clearings.clone(),
        ),
        create_account: CreateAccount,
        change_account: ChangeAccount = ports.operators().change_account(ports.directory.clone()),
        recovery_links: RecoveryLinks = ports.operators().recovery_links(
            ports.service.proofs.clone(),
            ports.service.proof_secrets.clone(),
            ports.recovery_link.clone(),
        ),
        manage_factors: ManageFactors = ports.operators().manage_factors(
            ports.service.factors.store.clone(),
            ports.service.tokens.clone(),
            ports.service.sessions.clone(),
            ports.service.clearings.clone(),
            ports.service.accounts.factor_reset_delay,
        ),
        read_journal: ReadJournal = ReadJournal::new(ports.service.journal.clone()),
        manage_webhooks: ManageWebhooks = ManageWebhooks::new(ports.webhooks.clone()),
        manage_deliveries: ManageDeliveries = ManageDeliveries::new(
            ports.deliveries.clone(),
            ports.service.clock.clone(),
            ports.service.entropy.clone(),
            ports.service.events.clone(),
            ports.service.accounts.mail_max_age,
        ),
    }
}

/// The use cases of operators. Each asks for the ports that only it needs, so that a command opens nothing else.
impl OperatorPorts {
    /// Imports accounts.
    pub fn import_account(&self, proofs: Arc<dyn Proofs>) -> ImportAccount {
        ImportAccount::new(self, proofs)
    }

    /// Adds accounts by the rules of a sign-up.
    pub fn add_account(
        &self,
        proofs: Arc<dyn Proofs>,
        hasher: Arc<dyn PasswordHasher>,
        strength: Arc<dyn PasswordStrength>,
    ) -> AddAccount {
        AddAccount::new(self, proofs, hasher, strength)
    }

    /// Makes links that set a password. `template`: where they lead, a URL with `{proof}` and `{secret}`.
    pub fn recovery_links(
        &self,
        proofs: Arc<dyn Proofs>,
        secrets: Arc<dyn ProofSecrets>,
        template: Option<String>,
    ) -> RecoveryLinks {
        RecoveryLinks::new(self, proofs, secrets, template)
    }

    /// Reads and resets factors. `delay`: how long a reset waits that is not forced.
    pub fn manage_factors(
        &self,
        store: Arc<dyn Factors>,
        tokens: Arc<dyn TokenRepository>,
        sessions: Arc<dyn SessionRepository>,
        clearings: Arc<dyn Clearings>,
        delay: Duration,
    ) -> ManageFactors {
        ManageFactors::new(self, store, tokens, sessions, clearings, delay)
    }

    /// Manages API keys.
    pub fn manage_api_keys(&self, keys: Arc<dyn ApiKeys>) -> ManageApiKeys {
        ManageApiKeys::new(self, keys)
    }

    /// Changes what accounts show.
    pub fn change_account(&self, directory: Arc<dyn AccountDirectory>) -> ChangeAccount {
        ChangeAccount::new(self, directory)
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
