//! Statements of what came since a version: clients that hold the same version share one.

use super::FeedDocument;
use revolve_domain::revocations::FeedVersion;
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

/// So many versions that this replica has told are remembered: two minutes of ticks, less while clients ask without waiting.
const REMEMBERED: usize = 600;
/// Each costs a signature, and anybody can make up a version: so many that this replica has not told are answered for each version that
/// deltas lead to; more get the whole.
const STRANGE: usize = 64;

/// Documents that lead to one version, and the versions that were told.
#[derive(Default)]
pub(super) struct Deltas {
    upto: Option<FeedVersion>,
    since: HashMap<FeedVersion, Arc<FeedDocument>>,
    strange: usize,
    told: VecDeque<FeedVersion>,
}

impl Deltas {
    /// The document that leads from one version to the other: one that was made before, or one that `make` makes. `None` if there is
    /// none, or were too many.
    pub(super) fn get(
        &mut self,
        known: &FeedVersion,
        upto: &FeedVersion,
        make: impl FnOnce() -> Option<FeedDocument>,
    ) -> Option<Arc<FeedDocument>> {
        if self.upto.as_ref() != Some(upto) {
            self.since.clear();
            self.strange = 0;
            self.upto = Some(upto.clone());
            self.tell(upto);
        }
        if let Some(made) = self.since.get(known) {
            return Some(Arc::clone(made));
        }
        if !self.told.contains(known) {
            if self.strange >= STRANGE {
                return None;
            }
            self.strange += 1;
        }
        let made = Arc::new(make()?);
        self.since.insert(known.clone(), Arc::clone(&made));
        Some(made)
    }

    /// A version is told to clients.
    pub(super) fn tell(&mut self, version: &FeedVersion) {
        if self.told.contains(version) {
            return;
        }
        self.told.push_back(version.clone());
        if self.told.len() > REMEMBERED {
            self.told.pop_front();
        }
    }
}
