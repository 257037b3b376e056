//! A goal: its bound, the figure, and whether it is met.

use serde::Serialize;

pub(super) const MIB: f64 = 1024.0 * 1024.0;

#[derive(Debug, Serialize)]
pub(super) struct Goal {
    /// Its name in the baseline.
    pub(super) key: &'static str,
    pub(super) what: String,
    /// The bound in words.
    pub(super) bound: String,
    pub(super) figure: String,
    pub(super) met: bool,
    /// The floor by the figure, or the figure by its maximum: 1 is perfect.
    pub(super) efficiency: f64,
    /// Whether it is CPU time or memory, which vary little from run to run, unlike latencies, rates and disks.
    pub(super) steady: bool,
    /// Whether a run fails that does not meet it.
    pub(super) must: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Unit {
    Micros,
    Millis,
    PerSecond,
    Bytes,
    Mib,
    Megabytes,
    Times,
    Percent,
}

impl Unit {
    pub(super) fn show(self, value: f64) -> String {
        match self {
            Self::Micros => format!("{value:.0} µs"),
            Self::Millis => format!("{value:.1} ms"),
            Self::PerSecond if value < 1000.0 => format!("{value:.1}/s"),
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Bytes => format!("{value:.0} bytes"),
            Self::Mib => format!("{:.1} MiB", value / MIB),
            Self::Megabytes => format!("{:.1} MB", value / 1e6),
            Self::Times => format!("{value:.2} ×"),
            Self::Percent => format!("{value:.1} %"),
        }
    }
}

/// So many times the floor, and the words for it.
pub(super) struct Bound<'a> {
    pub(super) factor: f64,
    pub(super) floor: f64,
    pub(super) called: &'a str,
}

#[derive(Default)]
pub(super) struct Goals(Vec<Goal>);

impl Goals {
    /// `ratio` is the median over the rounds of the figure by the floor, not the ratio of their medians.
    pub(super) fn at_most(
        &mut self,
        key: &'static str,
        what: impl Into<String>,
        bound: &Bound<'_>,
        (figure, ratio): (f64, f64),
        unit: Unit,
    ) {
        let words = format!(
            "≤ {} ({})",
            unit.show(bound.factor * bound.floor),
            bound.called
        );
        let figure = format!("{} ({ratio:.2} ×)", unit.show(figure));
        self.add(
            key,
            what.into(),
            words,
            figure,
            ratio <= bound.factor,
            1.0 / ratio,
        );
    }

    pub(super) fn at_least(
        &mut self,
        key: &'static str,
        what: impl Into<String>,
        bound: &Bound<'_>,
        (figure, ratio): (f64, f64),
        unit: Unit,
    ) {
        let words = format!(
            "≥ {} ({})",
            unit.show(bound.factor * bound.floor),
            bound.called
        );
        let figure = format!("{} ({ratio:.2} ×)", unit.show(figure));
        self.add(
            key,
            what.into(),
            words,
            figure,
            ratio >= bound.factor,
            ratio,
        );
    }

    /// A figure with a bound that is the same on every machine.
    pub(super) fn below(
        &mut self,
        key: &'static str,
        what: impl Into<String>,
        limit: f64,
        figure: f64,
        unit: Unit,
    ) {
        let words = format!("≤ {} (fixed)", unit.show(limit));
        self.add(
            key,
            what.into(),
            words,
            unit.show(figure),
            figure <= limit,
            limit / figure,
        );
    }

    /// A figure that is a ratio.
    pub(super) fn times(
        &mut self,
        key: &'static str,
        what: impl Into<String>,
        factor: f64,
        called: &str,
        ratio: f64,
    ) {
        let words = format!("≤ {} ({called})", Unit::Times.show(factor));
        self.add(
            key,
            what.into(),
            words,
            Unit::Times.show(ratio),
            ratio <= factor,
            1.0 / ratio,
        );
    }

    fn add(
        &mut self,
        key: &'static str,
        what: String,
        bound: String,
        figure: String,
        met: bool,
        efficiency: f64,
    ) {
        self.0.push(Goal {
            key,
            what,
            bound,
            figure,
            met,
            efficiency,
            steady: true,
            must: false,
        });
    }

    pub(super) fn all(self) -> Vec<Goal> {
        self.0
    }

    /// Marks the last goal as one that must be met.
    pub(super) fn must(&mut self) {
        if let Some(last) = self.0.last_mut() {
            last.must = true;
        }
    }

    /// Marks the last goal as one of latencies or rates.
    pub(super) fn unsteady(&mut self) {
        if let Some(last) = self.0.last_mut() {
            last.steady = false;
        }
    }
}
