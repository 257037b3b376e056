//! What mail costs.

use std::fmt::Write as _;

use crate::bench::{figures::Figures, goal::MIB};

pub(super) fn table(text: &mut String, figures: &Figures) {
    let get = |name: String| figures.get(&name).unwrap_or(f64::NAN);
    text.push_str("\n| due mails | per second | service, CPU µs each | MiB before | peak |\n| --- | --- | --- | --- | --- |\n");
    for (what, name) in [("server profile", "server"), ("embedded store", "embedded")] {
        let part = |part: &str| get(format!("drain_{name}.{part}"));
        let _ = writeln!(
            text,
            "| {what} | {:.0} | {:.0} | {:.1} | {:.1} |",
            part("per_second"),
            part("service"),
            part("rss.before") / MIB,
            part("rss.peak") / MIB
        );
    }
    let waiting = get("mail.waiting".to_owned());
    let _ = writeln!(
        text,
        "\n| CPU µs | service, empty outbox | {waiting:.0} mails wait | Postgres, empty | {waiting:.0} wait |\n| --- | --- | --- | --- | --- |"
    );
    for (what, name, request) in [
        ("refresh, server profile", "server", "refresh"),
        (
            "sign-in with a cheap hash, server profile",
            "server",
            "sign_in",
        ),
        ("refresh, embedded store", "embedded", "refresh"),
        (
            "sign-in with a cheap hash, embedded store",
            "embedded",
            "sign_in",
        ),
    ] {
        let cost = |outbox: &str, part| get(format!("outbox_{outbox}_{name}.{request}.{part}"));
        let _ = write!(
            text,
            "| {what} | {:.0} | {:.0} |",
            cost("empty", "service"),
            cost("full", "service")
        );
        // The embedded store has no Postgres.
        let _ = if name == "server" {
            let (empty, full) = (cost("empty", "postgres"), cost("full", "postgres"));
            writeln!(text, " {empty:.0} | {full:.0} |")
        } else {
            writeln!(text, " | |")
        };
    }
    text.push_str("\n| default hashes, server profile: service, CPU µs | without mail | with its mails | more |\n| --- | --- | --- | --- |\n");
    for (what, request) in [("sign-in", "sign_in"), ("sign-up", "sign_up")] {
        let [off, on] = ["off", "on"].map(|mail| get(format!("mail_{mail}.{request}.service")));
        let _ = writeln!(text, "| {what} | {off:.0} | {on:.0} | {:.0} |", on - off);
    }
}
