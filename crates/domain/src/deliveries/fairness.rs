//! No destination blocks another.

use std::collections::BTreeMap;

/// How many deliveries a replica sends to each domain at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fairness {
    /// The most to one domain.
    pub share: u32,
    /// How many are being sent now, by domain.
    pub held: BTreeMap<String, u32>,
}

impl Fairness {
    /// How many more may be sent to this domain.
    pub fn room(&self, domain: &str) -> u32 {
        self.share
            .saturating_sub(self.held.get(domain).copied().unwrap_or_default())
    }

    /// The domains that have their whole share.
    pub fn full(&self) -> impl Iterator<Item = &str> {
        self.held
            .iter()
            .filter(|(_, held)| **held >= self.share)
            .map(|(domain, _)| domain.as_str())
    }
}
