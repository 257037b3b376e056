use revolve_domain::model::{EndReason, PasswordHash, SessionId, Timestamp};

/// A user's epoch rises and the sessions end, all of them or all but one.
pub(crate) struct RaiseEpoch<'a> {
    pub(crate) kept: Option<SessionId>,
    /// Replaces the password hash in the same commit.
    pub(crate) hash: Option<&'a PasswordHash>,
    pub(crate) reason: EndReason,
    pub(crate) at: Timestamp,
}

impl RaiseEpoch<'_> {
    /// By the first factor of an account, which the session `kept` has added.
    pub(crate) const fn by_first_factor(kept: SessionId, at: Timestamp) -> Self {
        Self {
            kept: Some(kept),
            hash: None,
            reason: EndReason::FactorAdded,
            at,
        }
    }
}
