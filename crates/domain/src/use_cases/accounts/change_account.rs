//! Operators' changes of what an account shows: address, details, roles and app data.

use crate::{
    journal::{Actor, ChangedFields, MailKind, SecurityEvent, Told},
    model::{
        AccountChange, AccountVersion, AppPatch, ClientInfo, DetailsChange, FieldError, RolesPatch,
        User, UserId,
    },
    ports::{AccountDirectory, ChangeOutcome, Clock, OperatorChange, UserRepository},
    use_cases::parts::{Failure, NoticeDraft, OperatorPorts, Recorder},
};
use std::sync::Arc;

/// A change: `None` leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct AccountPatch {
    /// Name, links, language and address. Another address is not verified, unless this patch says so.
    pub details: DetailsChange,
    /// Whether the owner has proved to read the address.
    pub email_verified: Option<bool>,
    /// Its roles.
    pub roles: Option<RolesPatch>,
    /// What applications keep with it.
    pub app: Option<AppPatch>,
}

impl AccountPatch {
    /// The change of this account.
    fn of(&self, user: &User) -> Result<AccountChange, ChangeAccountError> {
        let roles = self.roles.as_ref().map(|patch| patch.apply(&user.roles));
        let app = self.app.as_ref().map(|patch| patch.apply(&user.app));
        let invalid = |field| move |error| ChangeAccountError::Invalid { field, error };
        Ok(AccountChange {
            details: self.details.clone(),
            email_verified: self.email_verified,
            roles: roles.transpose().map_err(invalid("roles"))?,
            app: app.transpose().map_err(invalid("app"))?,
        })
    }

    /// Whether what it leads to depends on what the account has.
    fn is_relative(&self) -> bool {
        matches!(self.roles, Some(RolesPatch::Adjust { .. }))
            || matches!(self.app, Some(AppPatch::Merge(_)))
    }
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAccountError {
    /// There is no such account.
    #[error("there is no such account")]
    NotFound,
    /// Another account has that address.
    #[error("an account with this e-mail address exists already")]
    EmailTaken,
    /// The account does not have the version that was expected.
    #[error("the account was changed meanwhile")]
    VersionMismatch {
        /// The version that it has.
        current: AccountVersion,
    },
    /// With what the account has, it would be too much.
    #[error("{field} {error}")]
    Invalid {
        /// The field, by its name in the API.
        field: &'static str,
        /// What is wrong.
        error: FieldError,
    },
    /// A dependency of the service failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Changes accounts. No session ends: services that follow the revocation feed refuse the ID tokens of before, and clients get new ones at
/// their next refresh.
pub struct ChangeAccount {
    users: Arc<dyn UserRepository>,
    directory: Arc<dyn AccountDirectory>,
    clock: Arc<dyn Clock>,
    recorder: Recorder,
}

impl ChangeAccount {
    pub(crate) fn new(ports: &OperatorPorts, directory: Arc<dyn AccountDirectory>) -> Self {
        Self {
            users: ports.users.clone(),
            directory,
            clock: ports.clock.clone(),
            recorder: Recorder::with(ports.entropy.clone(), ports.events.clone(), ports.mail),
        }
    }

    /// Changes the account, if it has the version that is expected; `None` expects none. Answers the account as it is then. A patch that changes
    /// nothing leaves the version as it is. The owner is told of another address, where the service sends mail.
    ///
    /// # Errors
    /// [`ChangeAccountError`]; then nothing changed, unless the commit itself was cut off.
    pub async fn execute(
        &self,
        user: UserId,
        patch: &AccountPatch,
        expected: Option<AccountVersion>,
        actor: Actor,
    ) -> Result<User, ChangeAccountError> {
        loop {
            let found = self.users.credentials(user).await.map_err(Failure::from)?;
            let found = found.ok_or(ChangeAccountError::NotFound)?.user;
            let current = found.version;
            if expected.is_some_and(|expected| expected != current) {
                return Err(ChangeAccountError::VersionMismatch { current });
            }
            // What was computed from a state of the account counts for that one only.
            let computed_from = patch.is_relative().then_some(current);
            let change = OperatorChange {
                user,
                change: patch.of(&found)?,
                expected: expected.or(computed_from),
                at: self.clock.now(),
            };
            match self.change(change, actor).await? {
                ChangeOutcome::Changed { after, .. } => return Ok(after),
                ChangeOutcome::Unchanged(user) => return Ok(user),
                ChangeOutcome::EmailTaken => return Err(ChangeAccountError::EmailTaken),
                ChangeOutcome::NotFound => return Err(ChangeAccountError::NotFound),
                // Another change came first, and so did that one: each turn of the loop is a change that succeeded.
                ChangeOutcome::VersionMismatch(_) if expected.is_none() => {}
                ChangeOutcome::VersionMismatch(current) => {
                    return Err(ChangeAccountError::VersionMismatch { current });
                }
            }
        }
    }

    async fn change(
        &self,
        change: OperatorChange,
        actor: Actor,
    ) -> Result<ChangeOutcome, ChangeAccountError> {
        let now = change.at;
        let notice = self.recorder.draft(MailKind::EmailChanged, now);
        let told = move |outcome: &ChangeOutcome| told(outcome, notice.as_ref());
        let tell = self.recorder.tell(now, actor, told);
        let outcome = self.directory.change(&change, &tell).await;
        let outcome = outcome.map_err(Failure::from)?;
        self.recorder.record(&tell, &outcome);
        Ok(outcome)
    }
}

/// What is told names the fields that changed, and none of their values.
fn told(outcome: &ChangeOutcome, notice: Option<&NoticeDraft>) -> Told {
    let ChangeOutcome::Changed { before, after } = outcome else {
        return Told::default();
    };
    let (user, session, address) = (after.id, None, None);
    let has_moved = before.email.as_str() != after.email.as_str();
    let moved = has_moved.then_some(SecurityEvent::EmailChanged {
        user,
        session,
        address,
    });
    let changed =
        ChangedFields::between(before, after).map(|changed| SecurityEvent::AccountChanged {
            user,
            session,
            address,
            changed,
        });
    // To the former address, without a proof that would undo what an operator has done.
    let mail = notice.filter(|_| has_moved).map(|notice| {
        let mut mail = notice.to(before, &ClientInfo::default());
        mail.facts.subject = Some(after.email.as_str().to_owned());
        mail
    });
    Told {
        events: moved.into_iter().chain(changed).collect(),
        mails: mail.into_iter().collect(),
    }
}
