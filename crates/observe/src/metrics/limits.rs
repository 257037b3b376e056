//! What limits refuse, counted each time, where the security event comes once per window.

use super::Metrics;
use async_trait::async_trait;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use revolve_domain::{
    limits::LimitName,
    ports::{RateLimiter, StoreError, Take, TakeOutcome},
};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LimitLabels {
    limit: &'static str,
}

pub(super) struct LimitMetrics {
    refused: Family<LimitLabels, Counter>,
}

impl LimitMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let refused = Family::<LimitLabels, Counter>::default();
        registry.register(
            "limited",
            "Times that a limit refused an attempt, by limit",
            refused.clone(),
        );
        for limit in LimitName::ALL {
            drop(refused.get_or_create(&LimitLabels {
                limit: limit.as_str(),
            }));
        }
        Self { refused }
    }
}

/// Counts what limits refuse.
pub struct CountedLimits {
    metrics: Arc<Metrics>,
    next: Arc<dyn RateLimiter>,
}

impl CountedLimits {
    /// Counts what `next` refuses in `metrics`.
    pub fn new(metrics: Arc<Metrics>, next: Arc<dyn RateLimiter>) -> Self {
        Self { metrics, next }
    }
}

#[async_trait]
impl RateLimiter for CountedLimits {
    async fn take(&self, takes: &[Take]) -> Result<TakeOutcome, StoreError> {
        let outcome = self.next.take(takes).await?;
        if let TakeOutcome::Limited(empty) = &outcome {
            for take in empty.iter().filter_map(|empty| takes.get(empty.index)) {
                self.metrics
                    .limits
                    .refused
                    .get_or_create(&LimitLabels {
                        limit: take.bucket.limit().as_str(),
                    })
                    .inc();
            }
        }
        Ok(outcome)
    }

    async fn give_back(&self, takes: &[Take]) -> Result<(), StoreError> {
        self.next.give_back(takes).await
    }
}
