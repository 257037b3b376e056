//! A mail that lets its reader set a new password.

use crate::{
    model::{ClientInfo, EmailAddress, Locale},
    policy::AccountPolicy,
    ports::StoreError,
    use_cases::parts::{
        Failure, Limited, OpeningMail, OpeningRequests, RequestedProof, ServicePorts, ShownAsker,
        from_denied, from_via,
    },
};

/// Who has forgotten the password.
#[derive(Clone, Debug)]
pub struct RecoveryRequest {
    /// The address of the account.
    pub email: EmailAddress,
    /// The language of the client, for an account that has none.
    pub locale: Option<Locale>,
    /// What the client shows of itself.
    pub asker: ShownAsker,
    /// The client that sent the request.
    pub client: ClientInfo,
}

/// Why nothing was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestRecoveryError {
    /// The service sends no mail.
    #[error("no mail is configured")]
    MailNotConfigured,
    /// There were too many requests; this one was not looked at.
    #[error(transparent)]
    Limited(#[from] Limited),
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

from_denied!(RequestRecoveryError);
from_via!(RequestRecoveryError: StoreError => Failure);

/// Asks for a recovery. The answer and the work are the same for known, unknown and disabled accounts.
pub struct RequestRecovery {
    requests: OpeningRequests,
    policy: AccountPolicy,
}

impl RequestRecovery {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            requests: OpeningRequests::new(ports),
            policy: ports.accounts,
        }
    }

    /// Stores a proof, and its mail if there is such an account that is not disabled. The mail goes to the address as the account has it.
    ///
    /// # Errors
    /// [`RequestRecoveryError`]; then no mail is sent, unless the commit itself was cut off.
    pub async fn execute(
        &self,
        request: RecoveryRequest,
    ) -> Result<RequestedProof, RequestRecoveryError> {
        if !self.policy.mail {
            return Err(RequestRecoveryError::MailNotConfigured);
        }
        let RecoveryRequest {
            email,
            locale,
            asker,
            client,
        } = request;
        let mail = OpeningMail::Recovery;
        let asked = self.requests.ask(mail, email, locale, &asker, &client);
        Ok(asked.await?)
    }
}
