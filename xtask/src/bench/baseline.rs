//! The efficiencies of an earlier run, kept with the code, so that changes show. Latencies and rates vary too much from run to run to be
//! compared; CPU time and memory are compared.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::goal::Goal;

/// A change of an efficiency counts beyond this.
const FULL: f64 = 0.05;
/// The same in a quick run, whose rounds are few and short.
const QUICK: f64 = 0.15;

/// The file's content: efficiencies by goal.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Baseline {
    full: BTreeMap<String, f64>,
    quick: BTreeMap<String, f64>,
}

#[derive(Debug)]
pub(super) struct Changes {
    tolerance: f64,
    /// Goal, kept, now.
    rows: Vec<(String, f64, f64)>,
    /// Goals that are not kept.
    new: Vec<&'static str>,
}

/// Keeps the efficiencies of a run beside those of the other kind of run.
pub(super) fn save(file: &Path, quick: bool, goals: &[Goal]) -> Result<()> {
    let mut kept = read(file)?;
    let rounded = |value: f64| (value * 1000.0).round() / 1000.0;
    *kept.of(quick) = steady(goals)
        .map(|goal| (goal.key.to_owned(), rounded(goal.efficiency)))
        .collect();
    fs::write(file, format!("{:#}\n", serde_json::to_value(kept)?))
        .with_context(|| format!("could not write {}", file.display()))
}

/// Compares a run with the kept one of its kind; a whole run has all goals that are kept.
///
/// # Errors
/// If nothing is kept of this kind of run, or a goal that a whole run did not judge.
pub(super) fn compare(file: &Path, quick: bool, whole: bool, goals: &[Goal]) -> Result<Changes> {
    let mut kept = read(file)?;
    let kept = kept.of(quick);
    let (known, new): (Vec<_>, Vec<_>) =
        steady(goals).partition(|goal| kept.contains_key(goal.key));
    if let Some(key) = kept
        .keys()
        .find(|key| !goals.iter().any(|goal| goal.key == **key))
        .filter(|_| whole)
    {
        bail!("{key} is kept and was not judged: was it renamed? keep what is judged with --save");
    }
    ensure!(
        !kept.is_empty(),
        "nothing is kept of such a run: keep its ratios with --save first"
    );
    let rows = known
        .into_iter()
        .map(|goal| (goal.key.to_owned(), kept[goal.key], goal.efficiency))
        .collect();
    Ok(Changes {
        tolerance: if quick { QUICK } else { FULL },
        rows,
        new: new.into_iter().map(|goal| goal.key).collect(),
    })
}

fn steady(goals: &[Goal]) -> impl Iterator<Item = &Goal> {
    goals.iter().filter(|goal| goal.steady)
}

fn read(file: &Path) -> Result<Baseline> {
    if !file.exists() {
        return Ok(Baseline::default());
    }
    let text =
        fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not what --save writes", file.display()))
}

impl Baseline {
    fn of(&mut self, quick: bool) -> &mut BTreeMap<String, f64> {
        if quick {
            &mut self.quick
        } else {
            &mut self.full
        }
    }
}

impl Changes {
    /// Whether none is beyond the tolerance. An improvement counts as well: it is to be kept.
    pub(super) fn none_beyond(&self) -> bool {
        self.rows
            .iter()
            .all(|(_, before, now)| !self.beyond(*before, *now))
    }

    fn beyond(&self, before: f64, now: f64) -> bool {
        let change = (now / before - 1.0).abs();
        // A value that is no number has changed.
        !change.is_finite() || change > self.tolerance
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<20}{:>10}{:>10}{:>10}",
            "efficiency", "kept", "now", "change"
        )?;
        for (key, before, now) in &self.rows {
            let verdict = match (self.beyond(*before, *now), now > before) {
                (false, _) => "",
                (true, true) => "  BETTER",
                (true, false) => "  WORSE",
            };
            writeln!(
                f,
                "{key:<20}{before:>10.3}{now:>10.3}{:>9.1} %{verdict}",
                (now / before - 1.0) * 100.0
            )?;
        }
        if !self.new.is_empty() {
            writeln!(f, "nothing is kept of {}", self.new.join(", "))?;
        }
        write!(f, "more than {:.0} % counts", self.tolerance * 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(key: &'static str, efficiency: f64, steady: bool) -> Goal {
        Goal {
            key,
            what: String::new(),
            bound: String::new(),
            figure: String::new(),
            met: true,
            efficiency,
            steady,
            must: false,
        }
    }

    #[test]
    fn a_change_beyond_the_tolerance_shows_either_way_and_latencies_never() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::remove_file(file.path()).unwrap();
        save(
            file.path(),
            false,
            &[
                goal("a", 0.5, true),
                goal("b", 0.5, true),
                goal("late", 0.5, false),
            ],
        )
        .unwrap();
        let same = compare(
            file.path(),
            false,
            false,
            &[
                goal("a", 0.52, true),
                goal("b", 0.48, true),
                goal("late", 9.0, false),
            ],
        )
        .unwrap();
        assert!(same.none_beyond(), "{same}");
        for (now, word) in [(0.474, "WORSE"), (0.526, "BETTER")] {
            let other = compare(file.path(), false, false, &[goal("a", now, true)]).unwrap();
            assert!(
                !other.none_beyond() && other.to_string().contains(word),
                "{other}"
            );
        }
    }

    #[test]
    fn quick_runs_are_kept_beside_full_ones_and_may_vary_more() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::remove_file(file.path()).unwrap();
        save(file.path(), false, &[goal("a", 0.5, true)]).unwrap();
        save(file.path(), true, &[goal("a", 0.8, true)]).unwrap();
        assert!(
            compare(file.path(), true, false, &[goal("a", 0.7, true)])
                .unwrap()
                .none_beyond()
        );
        assert!(
            !compare(file.path(), false, false, &[goal("a", 0.7, true)])
                .unwrap()
                .none_beyond()
        );
        assert!(
            compare(file.path(), true, false, &[goal("b", 0.7, true)])
                .unwrap()
                .to_string()
                .contains("nothing is kept of b")
        );
    }

    #[test]
    fn nothing_kept_and_nothing_judged_are_errors() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::remove_file(file.path()).unwrap();
        assert!(compare(file.path(), true, false, &[goal("a", 0.5, true)]).is_err());
        save(
            file.path(),
            true,
            &[goal("a", 0.5, true), goal("b", 0.5, true)],
        )
        .unwrap();
        assert!(
            compare(file.path(), true, true, &[goal("a", 0.5, true)]).is_err(),
            "b was not judged"
        );
        assert!(
            compare(file.path(), true, false, &[goal("a", 0.5, true)])
                .unwrap()
                .none_beyond()
        );
        assert!(
            !compare(file.path(), true, false, &[goal("a", f64::NAN, true)])
                .unwrap()
                .none_beyond()
        );
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_no_baseline() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "[]").unwrap();
        assert!(compare(file.path(), true, false, &[]).is_err());
    }
}
