//! `revolve hash calibrate`: memory first, passes only where there is no more memory (RFC 9106 §4), one lane, never less than the OWASP minimum. All
//! threads hash at once while it measures, as they do when it matters.

use crate::{composition::settings, config::Hashing};
use anyhow::{Context, Result};
use bytesize::ByteSize;
use revolve_adapters::argon2::{HashCost, measure, threads};
use serde::Serialize;
use std::{
    fmt::Write as _,
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};

/// How often a proposal is measured and corrected at most.
const ATTEMPTS: usize = 4;
/// This near to the target is near enough.
const NEAR: f64 = 0.1;
/// Hashes per thread in one measurement.
const DEFAULT_ROUNDS: u32 = 7;

/// Arguments of `revolve hash calibrate`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// What one hash may take, and so about what a sign-in takes.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration, default_value = "100ms")]
    target: Duration,
    /// Hashes that each thread computes for one measurement.
    #[arg(long, value_name = "N", default_value_t = NonZeroU32::new(DEFAULT_ROUNDS).unwrap_or(NonZeroU32::MIN))]
    rounds: NonZeroU32,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// A cost, and what it means here.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MeasuredCost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    /// The median.
    milliseconds: f64,
    /// With all threads.
    hashes_per_second: f64,
    /// Bytes, with all threads.
    memory: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Calibration {
    target_milliseconds: f64,
    threads: usize,
    memory_budget: u64,
    minimum: MeasuredCost,
    configured: MeasuredCost,
    proposed: MeasuredCost,
}

struct Bench {
    threads: NonZeroUsize,
    rounds: NonZeroUsize,
}

impl Bench {
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn measure(&self, cost: HashCost) -> Result<MeasuredCost> {
        let times = measure(cost, self.threads, self.rounds).context("hashing")?;
        let median = times
            .get(times.len() / 2)
            .context("nothing was measured")?
            .as_secs_f64();
        let HashCost {
            memory_kib,
            passes,
            lanes,
        } = cost;
        let hashes_per_second = self.threads.get() as f64 / median;
        let memory = cost.bytes() * self.threads.get() as u64;
        Ok(MeasuredCost {
            memory_kib,
            passes,
            lanes,
            milliseconds: median * 1000.0,
            hashes_per_second,
            memory,
        })
    }
}

impl MeasuredCost {
    fn cost(&self) -> HashCost {
        HashCost {
            memory_kib: self.memory_kib,
            passes: self.passes,
            lanes: self.lanes,
        }
    }
}

/// Measures and says what was found.
pub(super) fn run(hashing: &Hashing, args: &Args) -> Result<String> {
    let (floor, budget) = (HashCost::default(), settings::hash_budget(hashing));
    let threads = threads(hashing.threads.and_then(NonZeroUsize::new), floor, budget);
    let bench = Bench {
        threads,
        rounds: args.rounds.try_into()?,
    };
    let most = u32::try_from(budget / threads.get() as u64 / 1024).unwrap_or(u32::MAX);
    let target = args.target.as_secs_f64() * 1000.0;

    let minimum = bench.measure(floor)?;
    let configured = if settings::hash_cost(hashing) == floor {
        minimum
    } else {
        bench.measure(settings::hash_cost(hashing))?
    };
    let mut proposed = minimum;
    for _ in 0..ATTEMPTS {
        let next = propose(&proposed, target, most);
        if next == proposed.cost() {
            break;
        }
        proposed = bench.measure(next)?;
        if (proposed.milliseconds / target - 1.0).abs() <= NEAR {
            break;
        }
    }
    let findings = Calibration {
        target_milliseconds: target,
        threads: threads.get(),
        memory_budget: budget,
        minimum,
        configured,
        proposed,
    };
    if args.json {
        Ok(serde_json::to_string_pretty(&findings)? + "\n")
    } else {
        Ok(findings.to_text())
    }
}

/// The cost that would have met the target, at the speed that was measured; at most so many KiB for one hash.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before"
)]
fn propose(measured: &MeasuredCost, target: f64, most_kib: u32) -> HashCost {
    let floor = HashCost::default();
    let most_kib = most_kib.max(floor.memory_kib);
    let speed = f64::from(measured.memory_kib) * f64::from(measured.passes) / measured.milliseconds;
    let work = speed * target;
    let memory = (work / f64::from(floor.passes))
        .clamp(f64::from(floor.memory_kib), f64::from(most_kib)) as u32;
    // Whole MiB.
    let memory_kib = (memory / 1024 * 1024).max(floor.memory_kib);
    let passes = (work / f64::from(memory_kib)).clamp(f64::from(floor.passes), 1000.0) as u32;
    HashCost {
        memory_kib,
        passes: if memory_kib < most_kib / 1024 * 1024 {
            floor.passes
        } else {
            passes
        },
        lanes: 1,
    }
}

impl Calibration {
    fn to_text(&self) -> String {
        let mut text = format!(
            "measured with {} threads at once; memory budget {}\n\n{:<24}{:>10}{:>8}{:>7}{:>12}{:>10}{:>16}\n",
            self.threads,
            ByteSize(self.memory_budget),
            "",
            "memory",
            "passes",
            "lanes",
            "one hash",
            "hashes/s",
            "memory at work",
        );
        let proposed = format!("proposed for {:.0} ms", self.target_milliseconds);
        for (name, row) in [
            ("OWASP minimum", &self.minimum),
            ("configured", &self.configured),
            (&proposed, &self.proposed),
        ] {
            let (one, all) = (
                ByteSize(row.cost().bytes()).to_string(),
                ByteSize(row.memory).to_string(),
            );
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{name:<24}{one:>10}{:>8}{:>7}{:>9.1} ms{:>10.1}{all:>16}",
                row.passes, row.lanes, row.milliseconds, row.hashes_per_second
            );
        }
        let MeasuredCost {
            memory_kib,
            passes,
            lanes,
            ..
        } = self.proposed;
        if self.proposed.cost() == HashCost::default()
            && self.minimum.milliseconds > self.target_milliseconds
        {
            text.push_str(
                "\nThe minimum takes longer than the target; less than it is not safe.\n",
            );
        }
        let _ = write!(
            text,
            "\n[hashing]\nmemory_kib = {memory_kib}\npasses = {passes}\nlanes = {lanes}\n"
        );
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(milliseconds: f64) -> MeasuredCost {
        let HashCost {
            memory_kib,
            passes,
            lanes,
        } = HashCost::default();
        MeasuredCost {
            memory_kib,
            passes,
            lanes,
            milliseconds,
            hashes_per_second: 1.0,
            memory: 1,
        }
    }

    #[test]
    fn memory_comes_before_passes_and_nothing_below_the_minimum() {
        let cost = |memory_kib, passes| HashCost {
            memory_kib,
            passes,
            lanes: 1,
        };
        assert_eq!(
            propose(&measured(20.0), 100.0, u32::MAX),
            cost(97_280, 2),
            "five times the memory for five times the time"
        );
        assert_eq!(
            propose(&measured(20.0), 100.0, 49_152),
            cost(49_152, 3),
            "where there is no more memory, passes"
        );
        assert_eq!(
            propose(&measured(20.0), 10.0, u32::MAX),
            HashCost::default(),
            "too slow a machine"
        );
        assert_eq!(
            propose(&measured(20.0), 100.0, 1024),
            cost(19_456, 10),
            "too small a machine"
        );
    }
}
