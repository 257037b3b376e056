//! The figures as tables, and the section of docs/performance.md with its plots.

mod mail;
mod memory;

use std::{fmt::Write as _, fs, path::Path};

use anyhow::Result;

use super::{
    admin,
    figures::Figures,
    goal::Goal,
    plot::{Plot, PlotLine, Scale},
};
use crate::harness::{page_section, statistics::count};

const MARKS: [&str; 2] = [
    "<!-- figures: written by `cargo xtask bench` -->",
    "<!-- end of figures -->",
];

/// The goals as text.
pub(super) fn table(goals: &[Goal]) -> String {
    let mut text = String::new();
    for goal in goals {
        let met = if goal.met { "met" } else { "NOT MET" };
        let _ = writeln!(
            text,
            "{met:<9}{}\n         {}, goal {}; efficiency {:.2}",
            goal.what, goal.figure, goal.bound, goal.efficiency
        );
    }
    let _ = write!(
        text,
        "{} of {} goals met",
        goals.iter().filter(|goal| goal.met).count(),
        goals.len()
    );
    text
}

/// Writes the page's section and its plots.
pub(super) fn write(root: &Path, quick: bool, goals: &[Goal], figures: &Figures) -> Result<()> {
    let plots = root.join("docs/performance");
    fs::create_dir_all(&plots)?;
    fs::write(plots.join("latency.svg"), latency(figures).svg())?;
    fs::write(plots.join("sessions.svg"), sessions(figures).svg())?;
    page_section::write(
        &root.join("docs/performance.md"),
        MARKS,
        &text(quick, goals, figures),
    )
}

fn text(quick: bool, goals: &[Goal], figures: &Figures) -> String {
    let mut text = String::new();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kind = if quick {
        "quick run (short rounds, small stores)"
    } else {
        "full run"
    };
    let _ = writeln!(text, "A {kind} on {cores} shared cores.\n");
    text.push_str("| goal | bound | figure | | efficiency |\n| --- | --- | --- | --- | --- |\n");
    for goal in goals {
        let met = if goal.met { "met" } else { "**not met**" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {met} | {:.2} |",
            goal.what, goal.bound, goal.figure, goal.efficiency
        );
    }
    costs(&mut text, figures);
    floors(&mut text, figures);
    hashing(&mut text, figures);
    others(&mut text, figures);
    curves(&mut text, figures);
    memory::table(&mut text, figures);
    mail::table(&mut text, figures);
    text.push_str(&admin::report::table(figures));
    text
}

fn costs(text: &mut String, figures: &Figures) {
    text.push_str("\n| 64 connections, closed loop | service, CPU µs | Redis | Postgres | per second | p50 ms | p99 | p99.9 |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    let rows = [
        ("HTTP echo", "echo.echo"),
        ("refresh, ES256, Redis + Postgres", "es256.refresh"),
        ("refresh, RS256, Redis + Postgres", "rs256.refresh"),
        (
            "refresh, ES256, Redis + Postgres through PgBouncer (its CPU counts as Postgres')",
            "pooled.refresh",
        ),
        (
            "refresh at `/oauth/token`, ES256, Redis + Postgres",
            "es256.oauth_refresh",
        ),
        (
            "refresh by a browser, tokens and device in cookies, ES256, Redis + Postgres",
            "es256.cookie_refresh",
        ),
        ("refresh, ES256, embedded", "embedded.refresh"),
        ("refresh, ES256, replaced scheme", "baseline_es256.refresh"),
        ("refresh, RS256, replaced scheme", "baseline_rs256.refresh"),
        ("`/me`, ES256, Postgres", "es256.me"),
        (
            "an address verified by the code of a mail, Postgres",
            "proofs_server.confirm",
        ),
        (
            "an address verified by the code of a mail, embedded",
            "proofs_embedded.confirm",
        ),
    ];
    for (what, name) in rows {
        // Where no pooler is installed, or that part was not measured.
        if figures.get(&format!("{name}.service")).is_none() {
            continue;
        }
        let get = |part: &str| figures.get(&format!("{name}.{part}")).unwrap_or(f64::NAN);
        let _ = writeln!(
            text,
            "| {what} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {:.2} |",
            get("service"),
            get("redis"),
            get("postgres"),
            get("per_second"),
            get("p50") / 1000.0,
            get("p99") / 1000.0,
            get("p999") / 1000.0
        );
    }
}

fn floors(text: &mut String, figures: &Figures) {
    text.push_str("\n| raw floors, CPU µs | OpenSSL | by the token library over it | aws-lc |\n| --- | --- | --- | --- |\n");
    for name in [
        "ES256.sign",
        "ES256.verify",
        "RS256.sign",
        "RS256.verify",
        "EdDSA.sign",
        "EdDSA.verify",
        "HS256.sign",
        "HS256.verify",
    ] {
        let get = |how: &str| {
            figures
                .get(&format!("floor.{name}.{how}"))
                .unwrap_or(f64::NAN)
        };
        let _ = writeln!(
            text,
            "| {} | {:.1} | {:.1} | {:.1} |",
            name.replace('.', ", "),
            get("raw"),
            get("library"),
            get("aws_lc")
        );
    }
    let get = |name: &str| figures.get(&format!("floor.{name}")).unwrap_or(f64::NAN);
    let _ = writeln!(
        text,
        "\nA script call through a shared connection to Redis takes the client {:.0} µs, a read by primary key through a pipelined \
         connection to Postgres {:.0} µs. SQLite commits {:.0} rotations a second to this disk one by one, and {:.0} in groups of 64, \
         of {:.0} µs each; a read by key takes {:.0} µs there. Verifying a sign-in by passkey takes {:.0} µs, the bare check of its signature {:.0}.",
        get("redis.call"),
        get("postgres.read"),
        get("sqlite.one_by_one_per_second"),
        get("sqlite.in_groups_per_second"),
        get("sqlite.in_groups_cpu"),
        get("sqlite.read"),
        get("passkey.verify"),
        get("passkey.signature")
    );
}

fn hashing(text: &mut String, figures: &Figures) {
    text.push_str("\n| argon2id, m=19456, t=2 | per second | CPU ms each | p99 ms |\n| --- | --- | --- | --- |\n");
    let get = |name: &str| figures.get(name).unwrap_or(f64::NAN);
    for (what, name) in [
        ("bare loop on one core", "one_core"),
        ("bare loop on all cores", "all_cores"),
    ] {
        let part = |part: &str| get(&format!("floor.argon2.{name}_{part}"));
        let _ = writeln!(
            text,
            "| {what} | {:.1} | {:.1} | |",
            part("per_second"),
            part("cpu") / 1000.0
        );
    }
    for (what, name) in [
        ("sign-in, `hashing.threads` = cores", "hashing.sign_in"),
        ("sign-up, `hashing.threads` = cores", "hashing.sign_up"),
        (
            "sign-in, one core left to the rest (the default)",
            "hashing_default.sign_in",
        ),
        (
            "sign-up, one core left to the rest (the default)",
            "hashing_default.sign_up",
        ),
    ] {
        let part = |part: &str| get(&format!("{name}.{part}"));
        let _ = writeln!(
            text,
            "| {what} | {:.1} | {:.1} | {:.0} |",
            part("per_second"),
            part("service") / 1000.0,
            part("p99") / 1000.0
        );
    }
}

fn others(text: &mut String, figures: &Figures) {
    let get = |name: &str| figures.get(&format!("sign_out.{name}")).unwrap_or(f64::NAN);
    let keys = get("foreign_keys");
    let _ = writeln!(
        text,
        "\n| sign-out everywhere, median ms | no other keys | {keys:.0} keys of others |\n| --- | --- | --- |"
    );
    for (what, name) in [("Revolve", "revolve"), ("replaced scheme", "baseline")] {
        let (alone, among) = (
            get(&format!("{name}.alone")) / 1000.0,
            get(&format!("{name}.among")) / 1000.0,
        );
        let _ = writeln!(text, "| {what} | {alone:.2} | {among:.2} |");
    }
    text.push_str("\n| live sessions | refresh: service, CPU µs | Redis | Postgres |\n| --- | --- | --- | --- |\n");
    for size in &figures.sizes {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.0} |",
            size.sessions, size.service, size.redis, size.postgres
        );
    }
    text.push_str(
        "\n![Cost of a refresh against the number of live sessions](performance/sessions.svg)\n",
    );
}

fn curves(text: &mut String, figures: &Figures) {
    text.push_str("\n![Latency of a refresh against load](performance/latency.svg)\n\n");
    text.push_str(
        "| open loop, ES256 | load | per second | p50 ms | p99 | p99.9 | failed |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for curve in &figures.curves {
        for point in &curve.points {
            let millis = |micros: f64| micros / 1000.0;
            let (p50, p99, p999) = (millis(point.p50), millis(point.p99), millis(point.p999));
            let _ = writeln!(
                text,
                "| {} | {:.0} % | {:.0} | {p50:.2} | {p99:.2} | {p999:.2} | {} |",
                curve.name,
                point.load * 100.0,
                point.rate,
                point.failed
            );
        }
    }
}

fn latency(figures: &Figures) -> Plot<'static> {
    let mut lines = Vec::new();
    for (colour, curve) in figures.curves.iter().enumerate() {
        let line = |what: &str, dashed: bool, value: fn(&super::figures::Point) -> f64| PlotLine {
            name: format!("{}, {what}", curve.name),
            dashed,
            colour,
            points: curve
                .points
                .iter()
                .map(|point| (point.rate, value(point) / 1000.0))
                .collect(),
        };
        lines.push(line("p99", false, |point| point.p99));
        lines.push(line("p50", true, |point| point.p50));
    }
    Plot {
        title: "Latency of a refresh against load, from when each request was due",
        across: ("refreshes per second", Scale::Linear),
        up: ("milliseconds", Scale::Decades),
        lines,
    }
}

fn sessions(figures: &Figures) -> Plot<'static> {
    let line =
        |name: &str, colour: usize, value: fn(&super::figures::SessionCost) -> f64| PlotLine {
            name: name.to_owned(),
            dashed: false,
            colour,
            points: figures
                .sizes
                .iter()
                .map(|size| (count(size.sessions), value(size)))
                .collect(),
        };
    Plot {
        title: "Cost of a refresh against live sessions (ES256)",
        across: ("live sessions", Scale::Decades),
        up: ("CPU time, µs", Scale::Linear),
        lines: vec![
            line("all processes", 3, super::figures::SessionCost::all),
            line("service", 0, |size| size.service),
            line("Redis", 1, |size| size.redis),
            line("Postgres", 2, |size| size.postgres),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_is_not_met() {
        let goal = |met| Goal {
            key: "a",
            what: "refresh".to_owned(),
            bound: "≤ 1 µs (fixed)".to_owned(),
            figure: "2 µs".to_owned(),
            met,
            efficiency: 0.5,
            steady: true,
            must: false,
        };
        let text = table(&[goal(true), goal(false)]);
        assert!(
            text.starts_with("met      refresh")
                && text.contains("NOT MET  refresh")
                && text.ends_with("1 of 2 goals met"),
            "{text}"
        );
    }

    #[test]
    fn the_page_has_a_row_for_each_point_and_both_plots() {
        let mut figures = Figures::default();
        figures.curves.push(super::super::figures::Curve {
            name: "x",
            points: vec![super::super::figures::Point {
                load: 0.5,
                rate: 1000.0,
                p50: 400.0,
                p99: 2500.0,
                p999: 9000.0,
                failed: 3,
            }],
        });
        let text = text(true, &[], &figures);
        assert!(
            text.contains("| x | 50 % | 1000 | 0.40 | 2.50 | 9.00 | 3 |"),
            "{text}"
        );
        assert!(
            text.contains("performance/latency.svg") && text.contains("performance/sessions.svg")
        );
        assert!(latency(&figures).svg().contains("x, p99"));
    }
}
