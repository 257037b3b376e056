//! Numbers that other components keep, read at each scrape: the sizes of pools, the lengths of queues.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use std::fmt;

/// Names and values of labels.
pub type Labels = Vec<(&'static str, &'static str)>;

type Read = Box<dyn Fn() -> Vec<(Labels, f64)> + Send + Sync>;

/// A group of such numbers.
#[derive(Default)]
pub struct Gauges(Vec<Gauge>);

struct Gauge {
    name: &'static str,
    help: &'static str,
    is_counter: bool,
    read: Read,
}

impl Gauges {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one with labels. No value, no line.
    #[must_use]
    pub fn gauge(
        mut self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> Vec<(Labels, f64)> + Send + Sync + 'static,
    ) -> Self {
        self.0.push(Gauge {
            name,
            help,
            is_counter: false,
            read: Box::new(read),
        });
        self
    }

    /// Adds a plain one.
    #[must_use]
    pub fn plain(
        self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> usize + Send + Sync + 'static,
    ) -> Self {
        self.gauge(name, help, move || vec![(Labels::new(), lossy(read()))])
    }

    /// Adds one that only grows; `_total` comes by itself.
    #[must_use]
    pub fn counter(
        mut self,
        name: &'static str,
        help: &'static str,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        let read = Box::new(move || {
            vec![(
                Labels::new(),
                lossy(usize::try_from(read()).unwrap_or(usize::MAX)),
            )]
        });
        self.0.push(Gauge {
            name,
            help,
            is_counter: true,
            read,
        });
        self
    }
}

/// A count as a number with a fraction, which is what the format has; exact up to 2^53.
#[expect(clippy::cast_precision_loss, reason = "no queue is that long")]
pub fn lossy(count: usize) -> f64 {
    count as f64
}

fn write(is_counter: bool, value: f64, metric: MetricEncoder<'_>) -> Result<(), fmt::Error> {
    if is_counter {
        ConstCounter::new(value).encode(metric)
    } else {
        ConstGauge::new(value).encode(metric)
    }
}

impl Collector for Gauges {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        for Gauge {
            name,
            help,
            is_counter,
            read,
        } in &self.0
        {
            let values = read();
            if values.is_empty() {
                continue;
            }
            let kind = if *is_counter {
                MetricType::Counter
            } else {
                MetricType::Gauge
            };
            let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
            for (labels, value) in values {
                if labels.is_empty() {
                    // There is only one then.
                    write(*is_counter, value, metric)?;
                    break;
                }
                write(*is_counter, value, metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Gauges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|gauge| gauge.name))
            .finish()
    }
}
