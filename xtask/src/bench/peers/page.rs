//! The figures as the section of docs/performance.md.

use std::{fmt::Write as _, path::Path};

use anyhow::Result;

use super::load::CONNECTIONS;
use crate::{
    bench::{figures::Figures, goal::MIB},
    harness::page_section,
};

const MARKS: [&str; 2] = [
    "<!-- peers: written by `cargo xtask bench --peers` -->",
    "<!-- end of peers -->",
];
/// What the others are compared with, its stores included.
const MEASURE: [&str; 2] = ["peers.server.service", "peers.server.stores"];

pub(in crate::bench) fn write(root: &Path, quick: bool, figures: &Figures) -> Result<()> {
    page_section::write(
        &root.join("docs/performance.md"),
        MARKS,
        &text(quick, figures),
    )
}

pub(in crate::bench) fn text(quick: bool, figures: &Figures) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kind = if quick { "quick" } else { "full" };
    let mut text = format!("A {kind} run on {cores} shared cores.\n\n");
    let _ = write!(
        text,
        "| refresh, RS256, {CONNECTIONS} connections, closed loop | server, CPU µs | its stores | all, by the first row | per second | p50 ms \
         | p99 | idle MiB | start ms |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
    );
    for system in &figures.systems {
        let name = |part: &str| format!("peers.{}.{part}", system.key);
        let get = |part: &str| figures.get(&name(part)).unwrap_or(f64::NAN);
        let (service, stores) = (name("service"), name("stores"));
        // Those whose store is inside have none of their own.
        let cost = figures.get(&stores);
        let all: &[&str] = match cost {
            Some(_) => &[&service, &stores],
            None => &[&service],
        };
        let ratio = figures.ratio(all, &MEASURE);
        let _ = writeln!(
            text,
            "| {} | {:.0} | {} | {:.2} × | {:.0} | {:.1} | {:.1} | {:.1} | {:.0} |",
            system.what,
            get("service"),
            cost.map_or_else(String::new, |cost| format!("{cost:.0}")),
            ratio.unwrap_or(f64::NAN),
            get("per_second"),
            get("p50") / 1000.0,
            get("p99") / 1000.0,
            get("rss") / MIB,
            get("milliseconds")
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        bench::figures::{Samples, System},
        harness::folders,
    };

    #[test]
    fn a_row_has_its_ratio_to_the_first_with_its_stores() {
        let (mut figures, mut samples) = (Figures::default(), Samples::default());
        samples.add("peers.server.stores", 100.0);
        for (key, service) in [("server", 400.0), ("other", 2000.0)] {
            let figure = |part: &str| format!("peers.{key}.{part}");
            samples.add(figure("service"), service);
            samples.add(figure("per_second"), 600.4);
            samples.add(figure("p50"), 20_000.0);
            samples.add(figure("p99"), 31_250.0);
            samples.add(figure("rss"), 85.5 * MIB);
            samples.add(figure("milliseconds"), 512.0);
            figures.systems.push(System {
                key: key.to_owned(),
                what: format!("the {key}"),
            });
        }
        figures.settle(samples);
        let text = text(true, &figures);
        for row in [
            "| the server | 400 | 100 | 1.00 × | 600 | 20.0 | 31.2 | 85.5 | 512 |\n",
            "| the other | 2000 |  | 4.00 × | 600 | 20.0 | 31.2 | 85.5 | 512 |\n",
        ] {
            assert!(text.contains(row), "{text}");
        }
        assert!(text.starts_with("A quick run on "), "{text}");
    }

    #[test]
    fn the_page_has_the_marks() {
        let page = folders::root().unwrap().join("docs/performance.md");
        let page = std::fs::read_to_string(page).unwrap();
        let at = MARKS.map(|mark| page.find(mark).unwrap());
        assert!(at[0] < at[1]);
    }
}
