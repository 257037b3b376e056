//! What was found, counted, with an example.

/// A count, and the first of what was counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Findings {
    pub(super) count: u64,
    pub(super) first: Option<String>,
}

impl Findings {
    pub(super) fn note(&mut self, what: String) {
        self.count += 1;
        self.first.get_or_insert(what);
    }

    pub(super) fn add(&mut self, other: Self) {
        self.count += other.count;
        self.first = self.first.take().or(other.first);
    }
}
