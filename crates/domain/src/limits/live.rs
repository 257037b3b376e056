//! The rates in force.

use super::LimitPolicy;
use std::sync::{PoisonError, RwLock};

/// The rates in force, which can be replaced while the service runs. Buckets keep what was taken from them; a bucket that has
/// become smaller is at most empty.
#[derive(Debug, Default)]
pub struct LiveLimits(RwLock<LimitPolicy>);

impl LiveLimits {
    /// These rates, until they are replaced.
    pub const fn new(policy: LimitPolicy) -> Self {
        Self(RwLock::new(policy))
    }

    /// The rates in force.
    pub fn get(&self) -> LimitPolicy {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies these rates from the next request on.
    pub fn set(&self, policy: LimitPolicy) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Limit, LimitName},
        *,
    };

    #[test]
    fn every_limit_has_a_default_and_can_be_replaced() {
        let live = LiveLimits::default();
        assert!(
            LimitName::ALL
                .iter()
                .all(|&name| live.get().limit(name) != Limit::Off)
        );
        live.set(LimitPolicy::OFF);
        assert!(
            LimitName::ALL
                .iter()
                .all(|&name| live.get().limit(name) == Limit::Off)
        );
    }
}
