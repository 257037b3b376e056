//! What processes have in memory, and how much of it is their own.

use std::fmt::Write as _;

use crate::bench::{figures::Figures, goal::MIB};

const ROWS: [(&str, &str); 7] = [
    ("server profile, started again", "start_server"),
    ("embedded store, started again", "start_embedded"),
    ("server profile, refreshes with ES256", "es256"),
    ("server profile, refreshes with RS256", "rs256"),
    ("embedded store, refreshes with ES256", "embedded"),
    ("server profile, sign-ins and sign-ups", "hashing"),
    ("replaced scheme, refreshes with ES256", "baseline_es256"),
];

pub(super) fn table(text: &mut String, figures: &Figures) {
    text.push_str(
        "\n| memory of the process, MiB | idle | its own (`RssAnon`) | of files (`RssFile`) | peak | after |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for (what, name) in ROWS {
        let cells: String = ["idle", "idle_anon", "idle_file", "peak", "after"]
            .map(|when| {
                let bytes = figures.get(&format!("{name}.rss.{when}"));
                // What is only started has no peak.
                bytes.map_or_else(String::new, |bytes| format!("{:.1} ", bytes / MIB))
            })
            .map(|cell| format!(" {cell}|"))
            .concat();
        let _ = writeln!(text, "| {what} |{cells}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_memory_is_split_into_its_own_and_that_of_files() {
        let mut figures = Figures::default();
        for (name, mib) in [
            ("start_server.rss.idle", 14.5),
            ("start_server.rss.idle_anon", 1.8),
            ("start_server.rss.idle_file", 12.7),
            ("es256.rss.peak", 32.0),
        ] {
            figures.put(name, mib * MIB);
        }
        let mut text = String::new();
        table(&mut text, &figures);
        for row in [
            "| server profile, started again | 14.5 | 1.8 | 12.7 | | |\n",
            "| server profile, refreshes with ES256 | | | | 32.0 | |\n",
        ] {
            assert!(text.contains(row), "{text}");
        }
    }
}
