//! The process as the kernel sees it, by the names that every Prometheus client uses.

use super::gauges::lossy;
use procfs::{
    WithCurrentSystemInfo,
    process::{LimitValue, Process as Kernel},
};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use std::fmt;

/// Reads the kernel's figures at each scrape. Those that it does not have are left out.
#[derive(Debug)]
pub(super) struct ProcessMetrics;

impl Collector for ProcessMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let Ok(process) = Kernel::myself() else {
            return Ok(());
        };
        let mut gauge = |name, help, value: Option<f64>| -> Result<(), fmt::Error> {
            let Some(value) = value else { return Ok(()) };
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(metric)
        };
        let stat = process.stat().ok();
        let stat = stat.as_ref();
        gauge(
            "process_resident_memory_bytes",
            "Resident memory",
            stat.map(|stat| float(stat.rss_bytes().get())),
        )?;
        gauge(
            "process_virtual_memory_bytes",
            "Virtual memory",
            stat.map(|stat| float(stat.vsize)),
        )?;
        gauge(
            "process_threads",
            "Threads",
            stat.map(|stat| float(stat.num_threads.unsigned_abs())),
        )?;
        gauge(
            "process_open_fds",
            "Open file descriptors",
            process.fd_count().ok().map(lossy),
        )?;
        let limit =
            process
                .limits()
                .ok()
                .and_then(|limits| match limits.max_open_files.soft_limit {
                    LimitValue::Value(value) => Some(float(value)),
                    LimitValue::Unlimited => None,
                });
        gauge(
            "process_max_fds",
            "File descriptors that may be open",
            limit,
        )?;
        let ticks = float(procfs::ticks_per_second());
        let start = stat
            .zip(procfs::boot_time_secs().ok())
            .map(|(stat, boot)| float(boot) + float(stat.starttime) / ticks);
        gauge(
            "process_start_time_seconds",
            "When the process began, in Unix time",
            start,
        )?;
        let Some(stat) = stat else { return Ok(()) };
        let metric = encoder.encode_descriptor(
            "process_cpu_seconds",
            "CPU time, user and system",
            None,
            MetricType::Counter,
        )?;
        ConstCounter::new(float(stat.utime + stat.stime) / ticks).encode(metric)
    }
}

fn float(value: u64) -> f64 {
    lossy(usize::try_from(value).unwrap_or(usize::MAX))
}
