use revolve_domain::model::{EndReason, PasswordHash, SessionId, Timestamp};

/// A user's epoch rises and the sessions end, all of them or all but one.
pub(crate) struct RaiseEpoch<'a> {
    pub(crate) kept: Option<SessionId>,
    /// Replaces the password hash in the same commit.
    pub(crate) hash: Option<&'a PasswordHash>,
    pub(crate) reason: EndReason,
    pub(crate) at: Timestamp,
}
