//! Why a webhook is switched off.

/// Why nothing is sent to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DisabledReason {
    /// An operator has switched it off.
    Operator,
    /// It has failed for too long.
    Failing,
    /// It has answered 410: it wants no more.
    Gone,
}

impl DisabledReason {
    /// The stable name, as stores and interfaces have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Failing => "failing",
            Self::Gone => "gone",
        }
    }

    /// The reason of that name.
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Operator, Self::Failing, Self::Gone];
        all.into_iter().find(|reason| reason.as_str() == name)
    }
}
