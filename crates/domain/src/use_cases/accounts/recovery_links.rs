//! Links that a help desk hands out: whoever follows one chooses the account's password.

use crate::{
    journal::{Actor, SecurityEvent},
    model::{Proof, ProofId, ProofPurpose, Timestamp, UserId},
    ports::{
        Clock, Entropy, OpenProof, ProofSecrets, Proofs, StandingProof, StoreError, UserRepository,
    },
    use_cases::parts::{Failure, OperatorPorts, Recorder, from_via},
};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// A link, which is nowhere else.
#[derive(Debug)]
pub struct RecoveryLink {
    /// Where it leads, with its secret.
    pub url: SecretString,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

/// Why there is no link.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryLinkError {
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// The account is disabled.
    #[error("the account is disabled; enable it first")]
    Disabled,
    /// It is not configured where such links lead.
    #[error(
        "it is not known where the link should lead: set mail.links.recovery, or pages.enabled"
    )]
    NotConfigured,
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_via!(RecoveryLinkError: StoreError => Failure);

/// Makes such links.
pub struct RecoveryLinks {
    users: Arc<dyn UserRepository>,
    proofs: Arc<dyn Proofs>,
    secrets: Arc<dyn ProofSecrets>,
    /// A URL with `{proof}` and `{secret}`.
    template: Option<String>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    recorder: Recorder,
}

impl RecoveryLinks {
    pub(crate) fn new(
        ports: &OperatorPorts,
        proofs: Arc<dyn Proofs>,
        secrets: Arc<dyn ProofSecrets>,
        template: Option<String>,
    ) -> Self {
        Self {
            users: ports.users.clone(),
            proofs,
            secrets,
            template,
            clock: ports.clock.clone(),
            entropy: ports.entropy.clone(),
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), None),
        }
    }

    /// Makes a link, which counts once and in any browser, and voids the one before it. It verifies no address.
    ///
    /// # Errors
    /// [`RecoveryLinkError`].
    pub async fn issue(
        &self,
        user: UserId,
        actor: Actor,
    ) -> Result<RecoveryLink, RecoveryLinkError> {
        let Some(template) = &self.template else {
            return Err(RecoveryLinkError::NotConfigured);
        };
        let account = self.users.credentials(user).await?;
        let account = account.ok_or(RecoveryLinkError::NotFound)?;
        if account.user.disabled_at.is_some() {
            return Err(RecoveryLinkError::Disabled);
        }
        let now = self.clock.now();
        let id = ProofId::from_random(self.entropy.bytes());
        let open = OpenProof {
            proof: Proof::by_operator(id, ProofPurpose::RecoveryLink, &account, now),
            withheld: true,
        };
        let told = move |_: &StandingProof| vec![SecurityEvent::RecoveryLinkIssued { user }];
        let tell = self.recorder.tell(now, actor, told);
        let opened = self.proofs.open(&open, &tell).await?;
        self.recorder.record(&tell, &opened);
        let secret = self.secrets.secret(opened.id, opened.serial);
        let url = template
            .replace("{proof}", &opened.id.to_string())
            .replace("{secret}", secret.expose_secret());
        Ok(RecoveryLink {
            url: url.into(),
            expires_at: opened.expires_at,
        })
    }
}
