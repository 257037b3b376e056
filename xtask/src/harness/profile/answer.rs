//! What comes back from a server, in words that are the same for all.

/// What a client gets and keeps.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) refresh: String,
    pub(crate) access: Option<String>,
    pub(crate) credential: Option<String>,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grant(…)")
    }
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Success with tokens.
    Granted(Grant),
    /// Success without.
    Done,
    /// No, for the reason with this code.
    Refused(String),
    /// Not now: a client keeps what it has and tries again.
    Unavailable,
    /// The connection broke or nothing came in time.
    Silence(String),
    /// None of these, such as a 500.
    Odd(String),
}
