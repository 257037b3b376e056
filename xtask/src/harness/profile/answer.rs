//! The meaning of responses, the same for all servers.

/// The tokens that a client keeps.
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Success with tokens.
    Granted(Grant),
    /// Success without tokens.
    Done,
    /// Refused with this code.
    Refused(String),
    /// Not available: a client keeps its tokens and tries again.
    Unavailable,
    /// The connection broke, or there was no response in time.
    Silence(String),
    /// Another response, such as a 500.
    Odd(String),
}
