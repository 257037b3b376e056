//! Where the links of mails lead.

use revolve_domain::{journal::MailKind, ports::MailProof};
use secrecy::ExposeSecret;

/// The links, each a URL with `{proof}` and `{secret}` where the proof's id and secret belong. A mail without a link has only its code.
#[derive(Clone, Debug, Default)]
pub struct MailLinks {
    /// To choose a new password.
    pub recovery: Option<String>,
    /// To choose a password without a code, by the link of an invitation.
    pub choose_password: Option<String>,
    /// To confirm the address of a sign-up.
    pub sign_up: Option<String>,
    /// To confirm the address of an account.
    pub verify_email: Option<String>,
    /// To confirm the address that an account changes to.
    pub change_email: Option<String>,
    /// To sign in.
    pub sign_in: Option<String>,
    /// To take an address back.
    pub undo: Option<String>,
    /// To stop a reset of factors.
    pub keep_factors: Option<String>,
}

impl MailLinks {
    /// The link of a mail, if its kind has one.
    pub(super) fn link(&self, kind: MailKind, proof: &MailProof) -> Option<String> {
        let template = self.template(kind)?;
        Some(
            template
                .replace("{proof}", &proof.id.to_string())
                .replace("{secret}", proof.secret.expose_secret()),
        )
    }

    fn template(&self, kind: MailKind) -> Option<&str> {
        match kind {
            MailKind::SignUp => self.sign_up.as_deref(),
            MailKind::VerifyEmail => self.verify_email.as_deref(),
            MailKind::ChangeEmail => self.change_email.as_deref(),
            MailKind::ResetPassword => self.recovery.as_deref(),
            MailKind::Invitation => self.choose_password.as_deref(),
            MailKind::SignIn => self.sign_in.as_deref(),
            MailKind::EmailChanged => self.undo.as_deref(),
            MailKind::FactorResetOrdered => self.keep_factors.as_deref(),
            MailKind::SignInUnverified
            | MailKind::AccountExists
            | MailKind::NewDevice
            | MailKind::PasswordChanged
            | MailKind::PasswordReset
            | MailKind::SessionReused
            | MailKind::FactorAdded
            | MailKind::FactorRemoved
            | MailKind::RecoveryCodeUsed
            | MailKind::FactorsReset
            | MailKind::AccountDisabled
            | MailKind::AccountDeleted
            | MailKind::WebhookDisabled => None,
        }
    }
}

/// Whether the readers of a kind may have to enter the code. The link of an invitation counts in any browser, and without one its reader asks
/// for a proof like everybody.
pub(super) const fn needs_code(kind: MailKind) -> bool {
    kind.asks() && !matches!(kind, MailKind::Invitation)
}

/// Whether mails of a kind have a proof.
pub(super) const fn has_proof(kind: MailKind) -> bool {
    kind.asks() || matches!(kind, MailKind::EmailChanged | MailKind::FactorResetOrdered)
}
