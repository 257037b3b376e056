//! The goals of a run, each with a bound that follows from what was measured beside it.

use super::{
    figures::Figures,
    goal::{Bound, Goal, Goals, MIB, Unit},
    hashing::BUDGET,
};

/// The parts of a refresh, bare: a request and its answer, one read, one call, a token verified and two signed.
const REFRESH: [&str; 6] = [
    "echo.echo.service",
    "floor.postgres.read",
    "floor.redis.call",
    "floor.HS256.verify.raw",
    "floor.HS256.sign.raw",
    "floor.ES256.sign.raw",
];
/// The parts of `/me`, bare.
const ME: [&str; 3] = [
    "echo.echo.service",
    "floor.postgres.read",
    "floor.ES256.verify.raw",
];

/// Judges what was measured; goals of parts that did not run are omitted.
pub(super) fn judge(figures: &Figures) -> Vec<Goal> {
    let mut goals = Goals::default();
    refreshes(&mut goals, figures);
    embedded(&mut goals, figures);
    hashing(&mut goals, figures);
    among_others(&mut goals, figures);
    idle(&mut goals, figures);
    if let Some((quiet, flooded)) = figures
        .get("flood.quiet_p99")
        .zip(figures.get("flood.flooded_p99"))
    {
        let what = format!(
            "refresh under a flood of sign-ins, p99 (quiet {})",
            Unit::Millis.show(quiet / 1000.0)
        );
        goals.times("flood", what, 3.0, "of quiet", flooded / quiet);
        goals.unsteady();
    }
    goals.all()
}

/// A figure, its ratio to the sum of floors round by round, and that sum.
fn beside(figures: &Figures, name: &str, floors: &[&str]) -> Option<((f64, f64), f64)> {
    Some((
        (figures.get(name)?, figures.ratio(&[name], floors)?),
        figures.sum(floors)?,
    ))
}

fn refreshes(goals: &mut Goals, figures: &Figures) {
    if let Some((actual, floor)) = beside(figures, "es256.refresh.service", &REFRESH) {
        let bound = Bound {
            factor: 1.7,
            floor,
            called: &format!("1.7 × floors, {floor:.0} µs"),
        };
        goals.at_most(
            "refresh_es256",
            "refresh, ES256, Redis + Postgres, 64 connections: CPU of the service",
            &bound,
            actual,
            Unit::Micros,
        );
    }
    for (key, what, name) in [
        (
            "reads",
            "refresh: reads of Postgres each",
            "stores.postgres_reads",
        ),
        (
            "calls",
            "refresh: calls of Redis each",
            "stores.redis_calls",
        ),
    ] {
        if let Some(each) = figures.get(name) {
            // The service's own background work counts as well.
            goals.below(key, what, 1.05, each, Unit::Times);
        }
    }
    let floors = [&REFRESH[..], &["floor.RS256.sign.raw"]].concat();
    if let Some((actual, floor)) = beside(figures, "rs256.refresh.service", &floors) {
        let bound = Bound {
            factor: 1.15,
            floor,
            called: "1.15 × (raw signature + floors with ES256)",
        };
        goals.at_most(
            "refresh_rs256",
            "refresh, RS256: CPU of the service",
            &bound,
            actual,
            Unit::Micros,
        );
    }
    if let Some((actual, floor)) = beside(
        figures,
        "es256.refresh.per_second",
        &["baseline_es256.refresh.per_second"],
    ) {
        let bound = Bound {
            factor: 1.3,
            floor,
            called: "1.3 × the replaced scheme, also with ES256",
        };
        goals.at_least(
            "refresh_rate",
            "refresh, ES256: requests per second",
            &bound,
            actual,
            Unit::PerSecond,
        );
        goals.unsteady();
    }
    if let Some((actual, floor)) = beside(figures, "es256.me.service", &ME) {
        let bound = Bound {
            factor: 1.5,
            floor,
            called: &format!("1.5 × floors, {floor:.0} µs"),
        };
        goals.at_most(
            "me",
            "`/me`, verified and session-checked: CPU of the service",
            &bound,
            actual,
            Unit::Micros,
        );
    }
}

fn embedded(goals: &mut Goals, figures: &Figures) {
    if let Some((actual, floor)) = beside(
        figures,
        "embedded.refresh.per_second",
        &["floor.sqlite.one_by_one_per_second"],
    ) {
        let bound = Bound {
            factor: 4.0,
            floor,
            called: "4 × one transaction per request",
        };
        goals.at_least(
            "embedded_rate",
            "refresh, embedded store: requests per second",
            &bound,
            actual,
            Unit::PerSecond,
        );
        goals.unsteady();
    }
    if let Some(p99) = figures.get("embedded.refresh.p99_at_half_load") {
        goals.below(
            "embedded_p99",
            "refresh, embedded store: p99 at half load",
            10.0,
            p99 / 1000.0,
            Unit::Millis,
        );
        goals.unsteady();
    }
}

fn hashing(goals: &mut Goals, figures: &Figures) {
    for (key, what) in [("sign_in", "sign-in"), ("sign_up", "sign-up")] {
        let name = format!("hashing.{key}.per_second");
        if let Some((actual, floor)) =
            beside(figures, &name, &["floor.argon2.all_cores_per_second"])
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
        if let Some((actual, floor)) = beside(
            figures,
            &format!("hashing.{what}.service"),
            &["floor.argon2.all_cores_cpu"],
        ) {
            let bound = Bound {
                factor: 1.0 / 0.95,
                floor,
                called: "the bare loop's / 0.95",
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
        if let Some(ratio) = figures.ratio(
            &these.each_ref().map(String::as_str),
            &others.each_ref().map(String::as_str),
        ) {
            let what = format!(
                "refresh with {} live sessions by one with {}: CPU of all processes",
                many.sessions, few.sessions
            );
            goals.times("sessions", what, 1.15, "of few", ratio);
        }
    }
    if let Some((each, sessions)) = figures
        .get("redis.bytes_per_session")
        .zip(figures.get("redis.sessions"))
    {
        goals.below(
            "redis_memory",
            format!("Redis, memory of a user's only session, of {sessions:.0}"),
            600.0,
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
            20.0,
            ["idle_embedded", "start_embedded"],
        ),
    ];
    for (name, what, mib, [idle, start]) in services {
        if let Some(rss) = figures.get(&format!("{name}.rss")) {
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
                60.0,
                millis,
                Unit::Millis,
            );
            goals.unsteady();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::{Samples, SessionCost};

    /// One round.
    fn figures(values: &[(&str, f64)]) -> Figures {
        let (mut figures, mut samples) = (Figures::default(), Samples::default());
        for (name, value) in values {
            samples.add(*name, *value);
        }
        figures.settle(samples);
        figures
    }

    /// A floor of 80 µs in all.
    fn floors() -> Vec<(&'static str, f64)> {
        REFRESH
            .into_iter()
            .zip([18.0, 22.0, 9.0, 1.0, 1.0, 29.0])
            .collect()
    }

    #[test]
    fn a_refresh_is_judged_by_the_floors_of_its_own_run() {
        for (actual, met) in [(135.9, true), (137.0, false)] {
            let goals = judge(&figures(
                &[&floors()[..], &[("es256.refresh.service", actual)]].concat(),
            ));
            assert_eq!(goals.len(), 1);
            assert_eq!((goals[0].key, goals[0].met), ("refresh_es256", met));
            assert!((goals[0].efficiency - 80.0 / actual).abs() < 1e-9);
        }
    }

    #[test]
    fn a_signature_of_rs256_comes_on_top() {
        let values = [
            &floors()[..],
            &[
                ("floor.RS256.sign.raw", 700.0),
                ("rs256.refresh.service", 896.0),
            ],
        ]
        .concat();
        let goals = judge(&figures(&values));
        assert!(goals[0].met, "1.15 × 780 is 897");
        assert_eq!(
            goals[0].bound,
            "≤ 897 µs (1.15 × (raw signature + floors with ES256))"
        );
    }

    #[test]
    fn rates_have_to_be_higher_and_neither_they_nor_latencies_are_steady() {
        let values = [
            ("embedded.refresh.per_second", 7_999.0),
            ("floor.sqlite.one_by_one_per_second", 2_000.0),
            ("embedded.refresh.p99_at_half_load", 9_000.0),
        ];
        let goals = judge(&figures(&values));
        let found: Vec<_> = goals
            .iter()
            .map(|goal| (goal.key, goal.met, goal.steady))
            .collect();
        assert_eq!(
            found,
            [
                ("embedded_rate", false, false),
                ("embedded_p99", true, false)
            ]
        );
        assert_eq!(goals[0].bound, "≥ 8000/s (4 × one transaction per request)");
        assert_eq!(goals[1].figure, "9.0 ms");
    }

    #[test]
    fn the_cost_of_many_sessions_is_that_of_all_processes() {
        let mut samples = Samples::default();
        let mut figures = Figures::default();
        for (sessions, redis) in [(1_000, 20.0), (10_000, 90.0), (100_000, 36.0)] {
            figures.sizes.push(SessionCost {
                sessions,
                service: 70.0,
                redis,
                postgres: 10.0,
            });
            for (part, value) in [("service", 70.0), ("redis", redis), ("postgres", 10.0)] {
                samples.add(format!("sessions_{sessions}.{part}"), value);
            }
        }
        figures.settle(samples);
        let goals = judge(&figures);
        assert_eq!(
            (goals[0].key, goals[0].figure.as_str(), goals[0].met),
            ("sessions", "1.16 ×", false)
        );
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert!(judge(&Figures::default()).is_empty());
    }
}
