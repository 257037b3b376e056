//! A mail that lets its reader sign in.

use crate::{
    model::{ClientInfo, EmailAddress, Locale},
    policy::AccountPolicy,
    ports::StoreError,
    use_cases::parts::{
        Failure, Limited, OpeningMail, OpeningRequests, RequestedProof, ServicePorts, ShownAsker,
        from_denied, from_via,
    },
};

/// Who signs in without a password.
#[derive(Clone, Debug)]
pub struct SignInCodeRequest {
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
pub enum RequestSignInCodeError {
    /// [`AccountPolicy::sign_in_code`] is off.
    #[error("no code signs in here")]
    Off,
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

from_denied!(RequestSignInCodeError);
from_via!(RequestSignInCodeError: StoreError => Failure);

/// Asks for a code to sign in. The answer and the work are the same for known, unknown, unverified and disabled accounts.
pub struct RequestSignInCode {
    requests: OpeningRequests,
    policy: AccountPolicy,
}

impl RequestSignInCode {
    pub(crate) fn new(ports: &ServicePorts) -> Self {
        Self {
            requests: OpeningRequests::new(ports),
            policy: ports.accounts,
        }
    }

    /// Stores a proof, and its mail if there is such an account that is not disabled. The mail goes to the address as the account has it. If that was
    /// never verified, the mail has no code and says what else to do, once a day at most.
    ///
    /// # Errors
    /// [`RequestSignInCodeError`]; then no mail is sent, unless the commit itself was cut off.
    pub async fn execute(
        &self,
        request: SignInCodeRequest,
    ) -> Result<RequestedProof, RequestSignInCodeError> {
        if !self.policy.sign_in_code {
            return Err(RequestSignInCodeError::Off);
        }
        if !self.policy.mail {
            return Err(RequestSignInCodeError::MailNotConfigured);
        }
        let SignInCodeRequest {
            email,
            locale,
            asker,
            client,
        } = request;
        let mail = OpeningMail::SignIn;
        let asked = self.requests.ask(mail, email, locale, &asker, &client);
        Ok(asked.await?)
    }
}
