//! The figures as text, and their section of the page.

use std::{fmt::Write as _, path::Path};

use anyhow::Result;

use super::{figures::SizingFigures, setup::Args};
use crate::harness::page_section;

const BEGIN: &str = "<!-- figures: written by `cargo xtask sizing` -->";
const END: &str = "<!-- end of figures -->";

/// Sessions of the extrapolation, one per user.
const SESSIONS: f64 = 100e6;
/// Bytes of data for one Redis, which also needs memory to fork while it is written to.
const SHARD: f64 = 16.0 * GIB;
const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// Entries of the journal of each user.
const ENTRIES: f64 = 3.0;
/// Seconds after which an active client refreshes: the lifetime of an ID token.
const LIFE: f64 = 900.0;
/// Of so many sessions one is active at the busiest time of day.
const ACTIVE: f64 = 10.0;

pub(super) fn text(args: &Args, figures: &SizingFigures) -> String {
    let mut text = String::new();
    space(&mut text, args, figures);
    cost(&mut text, figures);
    extrapolation(&mut text, figures);
    text
}

fn space(text: &mut String, args: &Args, figures: &SizingFigures) {
    let redis = &figures.redis;
    let mut line = |what: &str, bytes: f64| {
        let _ = writeln!(text, "| {what} | {bytes:.0} |");
    };
    line(
        &format!(
            "Redis, a user's only session ({} users, memory of all keys and tables)",
            args.users
        ),
        redis.first,
    );
    line(
        "Redis, the same after all users have refreshed",
        redis.refreshed,
    );
    line(
        "Redis, each further session of the same user",
        redis.further,
    );
    let postgres = &figures.postgres;
    for table in postgres.lasting.iter().chain([&postgres.journal]) {
        line(&format!("Postgres, a row of `{}`", table.name), table.heap);
        line(
            &format!("Postgres, its entries in the indexes of `{}`", table.name),
            table.indexes,
        );
    }
    line(
        &format!(
            "SQLite, a user with a session, white list included ({} users)",
            args.embedded_users
        ),
        figures.sqlite.each,
    );
    text.insert_str(0, "| bytes of | each |\n| --- | --- |\n");
}

fn cost(text: &mut String, figures: &SizingFigures) {
    text.push_str("\n| CPU time of a refresh, µs | service | Redis | Postgres | refreshes |\n| --- | --- | --- | --- | --- |\n");
    for cost in &figures.costs {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.0} | {:.0} | {} |",
            cost.algorithm, cost.service, cost.redis, cost.postgres, cost.refreshes
        );
    }
    if let [rsa, ec] = &figures.costs[..] {
        let _ = writeln!(
            text,
            "\nThe service spends {:.1} times as much with {} as with {}.",
            rsa.service / ec.service,
            rsa.algorithm,
            ec.algorithm
        );
    }
}

fn extrapolation(text: &mut String, figures: &SizingFigures) {
    let redis = SESSIONS * figures.redis.refreshed;
    let disk: f64 = SESSIONS
        * figures
            .postgres
            .lasting
            .iter()
            .map(|table| table.heap + table.indexes)
            .sum::<f64>();
    let rate = SESSIONS / ACTIVE / LIFE;
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "| {what} | {value} |");
    };
    line("Redis memory", format!("{:.0} GiB", redis / GIB));
    line(
        "masters of 16 GiB of data each",
        format!("{:.0}", (redis / SHARD).ceil()),
    );
    line(
        "Postgres, tables and indexes",
        format!("{:.0} GiB", disk / GIB),
    );
    let journal = &figures.postgres.journal;
    line(
        "the same of the journal, where everybody signs in once a month and entries are kept for 90 days",
        format!(
            "{:.0} GiB",
            SESSIONS * ENTRIES * (journal.heap + journal.indexes) / GIB
        ),
    );
    line(
        "refreshes each second, one session in ten at work",
        format!("{rate:.0}"),
    );
    for cost in &figures.costs {
        let cores = |micros: f64| (rate * micros / 1e6).ceil();
        let busy = format!(
            "{:.0} + {:.0} + {:.0}",
            cores(cost.service),
            cores(cost.redis),
            cores(cost.postgres)
        );
        line(
            &format!(
                "cores busy with that, {}: services + Redis + Postgres",
                cost.algorithm
            ),
            busy,
        );
    }
    let at = text.find("| Redis memory").unwrap_or(text.len());
    text.insert_str(
        at,
        "\n| 100 million sessions, one a user | |\n| --- | --- |\n",
    );
}

pub(super) fn write(page: &Path, figures: &str) -> Result<()> {
    page_section::write(page, [BEGIN, END], figures)
}
