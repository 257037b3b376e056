//! The goals of a run, each with a bound that follows from what was measured beside it.

mod refreshes;
#[cfg(test)]
mod tests;

use super::{
    admin, feed,
    figures::Figures,
    goal::{Bound, Goal, Goals, MIB, Unit},
    hashing::BUDGET,
};

/// Due mails that a replica has to send in a second.
const MAILS_PER_SECOND: f64 = 300.0;
/// What it may take for that, in MiB.
const MAILS_MEMORY: f64 = 8.0;
/// Bytes of the binary.
const BINARY: f64 = 22e6;
/// What the revocation feed may take at its rate: per cent of a core, and bytes for each watcher and second.
const FEED_CPU: f64 = 10.0;
const FEED_BYTES: f64 = 64_000.0;

/// Judges what was measured; goals of parts that did not run are omitted.
pub(super) fn judge(figures: &Figures) -> Vec<Goal> {
    let mut goals = Goals::default();
    refreshes::server(&mut goals, figures);
    refreshes::embedded(&mut goals, figures);
    passkeys(&mut goals, figures);
    hashing(&mut goals, figures);
    among_others(&mut goals, figures);
    idle(&mut goals, figures);
    floods(&mut goals, figures);
    feed(&mut goals, figures);
    sending(&mut goals, figures);
    outbox(&mut goals, figures);
    admin::report::judge(&mut goals, figures);
    goals.all()
}

/// The service's own work on a sign-in by passkey, by the check of its signature.
fn passkeys(goals: &mut Goals, figures: &Figures) {
    const MORE: f64 = 30.0;
    if let Some((verify, check)) = figures
        .get("floor.passkey.verify")
        .zip(figures.get("floor.passkey.signature"))
    {
        let floor = 1.3 * check + MORE;
        let check = Unit::Micros.show(check);
        let bound = Bound {
            factor: 1.0,
            floor,
            called: &format!("1.3 × the bare check of its signature, {check}, + {MORE:.0} µs"),
        };
        let what = "sign-in by passkey: CPU of its verification";
        goals.at_most(
            "passkey",
            what,
            &bound,
            (verify, verify / floor),
            Unit::Micros,
        );
    }
}

fn hashing(goals: &mut Goals, figures: &Figures) {
    for (key, what) in [("sign_in", "sign-in"), ("sign_up", "sign-up")] {
        let name = format!("hashing.{key}.per_second");
        if let Some((actual, floor)) = figures.beside(&name, &["floor.argon2.all_cores_per_second"])
        {
            let bound = Bound {
                factor: 0.95,
                floor,
                called: "0.95 × the bare loop on all cores",
            };
            let what = format!("{what}, hashing.threads = cores: requests per second");
            goals.at_least(key, what, &bound, actual, Unit::PerSecond);
            goals.unsteady();
        }
    }
    for (key, what) in [("sign_in_cpu", "sign_in"), ("sign_up_cpu", "sign_up")] {
        if let Some((actual, floor)) = figures.beside(
            &format!("hashing.{what}.service"),
            &["floor.argon2.all_cores_cpu"],
        ) {
            let bound = Bound {
                factor: 0.95,
                floor,
                called: "0.95 × the bare loop without huge pages",
            };
            let what = format!("{}: CPU of the service", what.replace('_', "-"));
            goals.at_most(key, what, &bound, actual, Unit::Micros);
        }
    }
    if let Some((idle, peak)) = figures
        .get("hashing.rss.idle")
        .zip(figures.get("hashing.rss.peak"))
    {
        let floor = idle + f64::from(BUDGET + 32) * MIB;
        let bound = Bound {
            factor: 1.0,
            floor,
            called: &format!("idle + budget, {BUDGET} MiB, + 32 MiB"),
        };
        goals.at_most(
            "hashing_memory",
            "peak memory of sign-ins and sign-ups",
            &bound,
            (peak, peak / floor),
            Unit::Mib,
        );
    }
}

fn among_others(goals: &mut Goals, figures: &Figures) {
    let alone = figures
        .get("sign_out.revolve.alone")
        .zip(figures.get("sign_out.foreign_keys"));
    if let Some(((alone, keys), ratio)) =
        alone.zip(figures.ratio(&["sign_out.revolve.among"], &["sign_out.revolve.alone"]))
    {
        let what = format!(
            "sign-out everywhere among {keys:.0} foreign keys, median ({} alone)",
            Unit::Micros.show(alone)
        );
        goals.times("sign_out", what, 1.2, "of the same without", ratio);
        goals.unsteady();
    }
    if let [few, .., many] = &figures.sizes[..] {
        let all = |sessions: usize| {
            ["service", "redis", "postgres"].map(|part| format!("sessions_{sessions}.{part}"))
        };
        let (these, others) = (all(many.sessions), all(few.sessions));
        if let Some(ratio) = ratio(figures, &these, &others) {
            let what = format!(
                "refresh with {} live sessions by one with {}: CPU of all processes",
                many.sessions, few.sessions
            );
            goals.times("sessions", what, 1.1, "of few", ratio);
        }
    }
    if let Some((each, sessions)) = figures
        .get("redis.bytes_per_session")
        .zip(figures.get("redis.sessions"))
    {
        goals.below(
            "redis_memory",
            format!("Redis, memory of a user's only session, of {sessions:.0}"),
            500.0,
            each,
            Unit::Bytes,
        );
    }
}

fn idle(goals: &mut Goals, figures: &Figures) {
    let services = [
        (
            "start_server",
            "server profile",
            16.0,
            ["idle_server", "start_server"],
        ),
        (
            "start_embedded",
            "embedded store",
            17.0,
            ["idle_embedded", "start_embedded"],
        ),
    ];
    for (name, what, mib, [idle, start]) in services {
        if let Some(rss) = figures.get(&format!("{name}.rss.idle")) {
            goals.below(
                idle,
                format!("idle memory, {what}"),
                mib * MIB,
                rss,
                Unit::Mib,
            );
        }
        if let Some(millis) = figures.get(&format!("{name}.milliseconds")) {
            goals.below(
                start,
                format!("start to first answer, {what}"),
                25.0,
                millis,
                Unit::Millis,
            );
            goals.unsteady();
        }
    }
    if let Some(bytes) = figures.get("binary.bytes") {
        let what = "size of the release binary, stripped";
        goals.below("binary", what, BINARY, bytes, Unit::Megabytes);
    }
}

/// Refreshes and sign-ins of those who have no part in a flood.
fn floods(goals: &mut Goals, figures: &Figures) {
    if let Some((quiet, flooded)) = figures
        .get("flood.quiet_p99")
        .zip(figures.get("flood.flooded_p99"))
    {
        let what = format!(
            "refresh under a flood of sign-ins, p99 (quiet {})",
            Unit::Millis.show(quiet / 1000.0)
        );
        goals.times("flood", what, 2.0, "of quiet", flooded / quiet);
        goals.unsteady();
    }
    let others = ["quiet_p99", "quiet_p50", "flooded_p99"]
        .map(|name| Some(figures.get(&format!("flood.others.{name}"))? / 1000.0));
    if let [Some(quiet), Some(hash), Some(flooded)] = others {
        let floor = 3.0 * quiet + hash;
        let [quiet, hash] = [quiet, hash].map(|millis| Unit::Millis.show(millis));
        let bound = Bound {
            factor: 1.0,
            floor,
            called: &format!("3 × of quiet, {quiet}, + one hash, {hash}"),
        };
        let what = "sign-ins of other accounts under a flood of sign-ins to one account, p99";
        let actual = (flooded, flooded / floor);
        goals.at_most("flood_others", what, &bound, actual, Unit::Millis);
        goals.unsteady();
    }
}

/// What the revocation feed takes while sessions end without pause.
fn feed(goals: &mut Goals, figures: &Figures) {
    let what = format!(
        "revocation feed at {} ended sessions per second, {} watchers",
        feed::RATE,
        feed::WATCHERS
    );
    if let Some(cpu) = figures.get("feed.cpu") {
        let what = format!("{what}: CPU of the service, of a core");
        goals.below("feed_cpu", what, FEED_CPU, cpu, Unit::Percent);
        // It has no floor, so it varies with the speed of the machine.
        goals.unsteady();
    }
    if let Some(bytes) = figures.get("feed.bytes") {
        let what = format!("{what}: bytes for each watcher and second");
        goals.below("feed_bytes", what, FEED_BYTES, bytes, Unit::Bytes);
    }
}

/// Due mails: how fast they leave, and that many of them take no more memory than a few.
fn sending(goals: &mut Goals, figures: &Figures) {
    for (name, [rate, memory]) in [
        ("server", ["mails_server", "mails_memory_server"]),
        ("embedded", ["mails_embedded", "mails_memory_embedded"]),
    ] {
        let get = |part: &str| figures.get(&format!("drain_{name}.{part}"));
        if let Some(per_second) = get("per_second") {
            let bound = Bound {
                factor: 1.0,
                floor: MAILS_PER_SECOND,
                called: "fixed",
            };
            let actual = (per_second, per_second / MAILS_PER_SECOND);
            let what = format!("due mails to a local mail server, {name}: per second");
            goals.at_least(rate, what, &bound, actual, Unit::PerSecond);
            goals.unsteady();
        }
        if let Some((before, peak)) = get("rss.before").zip(get("rss.peak")) {
            let floor = before + MAILS_MEMORY * MIB;
            let bound = Bound {
                factor: 1.0,
                floor,
                called: &format!("before + {MAILS_MEMORY:.0} MiB"),
            };
            let what = format!("peak memory while due mails are sent, {name}");
            goals.at_most(memory, what, &bound, (peak, peak / floor), Unit::Mib);
        }
    }
}

/// What mail costs requests.
fn outbox(goals: &mut Goals, figures: &Figures) {
    let waiting = figures.get("mail.waiting").unwrap_or_default();
    for (name, parts, keys) in [
        (
            "server",
            &["service", "redis", "postgres"][..],
            ["outbox_refresh_server", "outbox_sign_in_server"],
        ),
        (
            "embedded",
            &["service"][..],
            ["outbox_refresh_embedded", "outbox_sign_in_embedded"],
        ),
    ] {
        for (key, what) in keys.into_iter().zip(["refresh", "sign_in"]) {
            let of = |outbox: &str| -> Vec<String> {
                let parts = parts.iter();
                parts
                    .map(|part| format!("outbox_{outbox}_{name}.{what}.{part}"))
                    .collect()
            };
            if let Some(ratio) = ratio(figures, &of("full"), &of("empty")) {
                let what = format!(
                    "{} with {waiting:.0} mails that wait, {name}: CPU of all processes",
                    what.replace('_', "-")
                );
                goals.times(key, what, 1.05, "of an empty outbox", ratio);
            }
        }
    }
    for (key, what) in [("mail_sign_in", "sign_in"), ("mail_sign_up", "sign_up")] {
        let [on, off] = ["on", "off"].map(|mail| vec![format!("mail_{mail}.{what}.service")]);
        if let Some(ratio) = ratio(figures, &on, &off) {
            let what = format!(
                "{} with its mails, sending included: CPU of the service",
                what.replace('_', "-")
            );
            goals.times(key, what, 1.03, "of the same without mail", ratio);
        }
    }
}

fn ratio(figures: &Figures, these: &[String], others: &[String]) -> Option<f64> {
    let these: Vec<_> = these.iter().map(String::as_str).collect();
    let others: Vec<_> = others.iter().map(String::as_str).collect();
    figures.ratio(&these, &others)
}
