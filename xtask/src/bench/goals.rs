//! The goals of a run: what each is about, the bound that follows from what was measured beside it, and whether it is met.

use serde::Serialize;

use super::{figures::Figures, hashing::BUDGET};

const MIB: f64 = 1024.0 * 1024.0;

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
const ME: [&str; 3] = ["echo.echo.service", "floor.postgres.read", "floor.ES256.verify.raw"];

/// A goal and how it was met.
#[derive(Debug, Serialize)]
pub(super) struct Goal {
    /// Its name in the kept ratios.
    pub(super) key: &'static str,
    pub(super) what: String,
    /// The bound in words.
    pub(super) bound: String,
    pub(super) figure: String,
    pub(super) met: bool,
    /// The floor by the figure, or the figure by the most that there could be: 1 is perfect.
    pub(super) efficiency: f64,
    /// Whether it is CPU time, memory or a ratio of rates, which hardly vary from run to run, unlike latencies.
    pub(super) steady: bool,
}

/// What a figure is told in.
#[derive(Clone, Copy)]
enum Unit {
    Micros,
    Millis,
    PerSecond,
    Bytes,
    Mib,
    Times,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Micros => format!("{value:.0} µs"),
            Self::Millis => format!("{value:.1} ms"),
            Self::PerSecond if value < 1000.0 => format!("{value:.1}/s"),
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Bytes => format!("{value:.0} bytes"),
            Self::Mib => format!("{:.1} MiB", value / MIB),
            Self::Times => format!("{value:.2} ×"),
        }
    }
}

/// The bound: so many times the floor, which is what it is called.
struct Bound<'a> {
    factor: f64,
    floor: f64,
    called: &'a str,
}

#[derive(Default)]
struct Goals(Vec<Goal>);

impl Goals {
    fn at_most(&mut self, key: &'static str, what: impl Into<String>, bound: &Bound<'_>, figure: f64, unit: Unit) -> &mut Goal {
        let limit = bound.factor * bound.floor;
        let words = format!("≤ {} ({})", unit.show(limit), bound.called);
        self.add(key, what.into(), words, unit.show(figure), figure <= limit, bound.floor / figure)
    }

    fn at_least(&mut self, key: &'static str, what: impl Into<String>, bound: &Bound<'_>, figure: f64, unit: Unit) -> &mut Goal {
        let limit = bound.factor * bound.floor;
        let words = format!("≥ {} ({})", unit.show(limit), bound.called);
        self.add(key, what.into(), words, unit.show(figure), figure >= limit, figure / bound.floor)
    }

    fn add(&mut self, key: &'static str, what: String, bound: String, figure: String, met: bool, efficiency: f64) -> &mut Goal {
        self.0.push(Goal { key, what, bound, figure, met, efficiency, steady: true });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }
}

/// Judges what was measured; goals of parts that were left out are left out.
pub(super) fn judge(figures: &Figures) -> Vec<Goal> {
    let mut goals = Goals::default();
    refreshes(&mut goals, figures);
    embedded(&mut goals, figures);
    hashing(&mut goals, figures);
    among_others(&mut goals, figures);
    idle(&mut goals, figures);
    if let Some((quiet, flooded)) = figures.get("flood.quiet_p99").zip(figures.get("flood.flooded_p99")) {
        let bound = Bound { factor: 3.0, floor: 1.0, called: "of quiet" };
        let what = format!("refresh under a flood of sign-ins, p99 (quiet {})", Unit::Millis.show(quiet / 1000.0));
        goals.at_most("flood", what, &bound, flooded / quiet, Unit::Times).steady = false;
    }
    goals.0
}

fn refreshes(goals: &mut Goals, figures: &Figures) {
    let Some(floor) = figures.sum(&REFRESH) else { return };
    if let Some(actual) = figures.get("es256.refresh.service") {
        let bound = Bound { factor: 1.7, floor, called: &format!("1.7 × floors, {floor:.0} µs") };
        goals.at_most(
            "refresh_es256",
            "refresh, ES256, Redis + Postgres, 64 connections: CPU of the service",
            &bound,
            actual,
            Unit::Micros,
        );
    }
    if let Some((actual, sign)) = figures.get("rs256.refresh.service").zip(figures.get("floor.RS256.sign.raw")) {
        let bound =
            Bound { factor: 1.15, floor: sign + floor, called: &format!("1.15 × (raw signature, {sign:.0} µs, + {floor:.0} µs)") };
        goals.at_most("refresh_rs256", "refresh, RS256: CPU of the service", &bound, actual, Unit::Micros);
    }
    let rates = figures.get("es256.refresh.per_second").zip(figures.get("baseline_es256.refresh.per_second"));
    if let Some((actual, baseline)) = rates {
        let bound = Bound { factor: 1.3, floor: baseline, called: "1.3 × the replaced scheme, also with ES256" };
        goals.at_least("refresh_rate", "refresh, ES256: requests per second", &bound, actual, Unit::PerSecond);
    }
    if let Some((actual, floor)) = figures.get("es256.me.service").zip(figures.sum(&ME)) {
        let bound = Bound { factor: 1.5, floor, called: &format!("1.5 × floors, {floor:.0} µs") };
        goals.at_most("me", "`/me`, verified and session-checked: CPU of the service", &bound, actual, Unit::Micros);
    }
}

fn embedded(goals: &mut Goals, figures: &Figures) {
    let rates = figures.get("embedded.refresh.per_second").zip(figures.get("floor.sqlite.one_by_one_per_second"));
    if let Some((actual, floor)) = rates {
        let bound = Bound { factor: 4.0, floor, called: "4 × one transaction per request" };
        goals.at_least("embedded_rate", "refresh, embedded store: requests per second", &bound, actual, Unit::PerSecond);
    }
    if let Some(p99) = figures.get("embedded.refresh.p99_at_half_load") {
        let bound = Bound { factor: 1.0, floor: 10.0, called: "fixed" };
        goals.at_most("embedded_p99", "refresh, embedded store: p99 at half load", &bound, p99 / 1000.0, Unit::Millis).steady = false;
    }
}

fn hashing(goals: &mut Goals, figures: &Figures) {
    let Some(floor) = figures.get("floor.argon2.all_cores_per_second") else { return };
    for (key, what, name) in [("sign_in", "sign-in", "hashing.sign_in"), ("sign_up", "sign-up", "hashing.sign_up")] {
        if let Some(actual) = figures.get(&format!("{name}.per_second")) {
            let bound = Bound { factor: 0.95, floor, called: "0.95 × the bare loop on all cores" };
            let what = format!("{what}, hashing.threads = cores: requests per second");
            goals.at_least(key, what, &bound, actual, Unit::PerSecond);
        }
    }
    if let Some((idle, peak)) = figures.get("hashing.rss.idle").zip(figures.get("hashing.rss.peak")) {
        let floor = idle + f64::from(BUDGET + 32) * MIB;
        let bound = Bound { factor: 1.0, floor, called: &format!("idle + budget, {BUDGET} MiB, + 32 MiB") };
        goals.at_most("hashing_memory", "peak memory of sign-ins and sign-ups", &bound, peak, Unit::Mib);
    }
}

fn among_others(goals: &mut Goals, figures: &Figures) {
    let among = figures.get("sign_out.revolve.alone").zip(figures.get("sign_out.revolve.among"));
    if let Some(((alone, among), keys)) = among.zip(figures.get("sign_out.foreign_keys")) {
        let bound = Bound { factor: 1.2, floor: 1.0, called: "of the same without" };
        let what = format!("sign-out everywhere among {keys:.0} foreign keys, median ({} alone)", Unit::Micros.show(alone));
        goals.at_most("sign_out", what, &bound, among / alone, Unit::Times).steady = false;
    }
    if let [few, .., many] = &figures.sizes[..] {
        let bound = Bound { factor: 1.15, floor: 1.0, called: "of few" };
        let what = format!("refresh with {} live sessions by one with {}: CPU of all processes", many.sessions, few.sessions);
        goals.at_most("sessions", what, &bound, many.all() / few.all(), Unit::Times);
    }
    if let Some((each, sessions)) = figures.get("redis.bytes_per_session").zip(figures.get("redis.sessions")) {
        let bound = Bound { factor: 1.0, floor: 600.0, called: "fixed" };
        goals.at_most("redis_memory", format!("Redis, memory of a user's only session, of {sessions:.0}"), &bound, each, Unit::Bytes);
    }
}

fn idle(goals: &mut Goals, figures: &Figures) {
    let services = [
        ("start_server", "server profile", 16.0, ["idle_server", "start_server"]),
        ("start_embedded", "embedded store", 20.0, ["idle_embedded", "start_embedded"]),
    ];
    for (name, what, mib, [idle, start]) in services {
        if let Some(rss) = figures.get(&format!("{name}.rss")) {
            let bound = Bound { factor: 1.0, floor: mib * MIB, called: "fixed" };
            goals.at_most(idle, format!("idle memory, {what}"), &bound, rss, Unit::Mib);
        }
        if let Some(millis) = figures.get(&format!("{name}.milliseconds")) {
            let bound = Bound { factor: 1.0, floor: 60.0, called: "fixed" };
            goals.at_most(start, format!("start to first answer, {what}"), &bound, millis, Unit::Millis).steady = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Size;

    fn figures(values: &[(&str, f64)]) -> Figures {
        let mut figures = Figures::default();
        for (name, value) in values {
            figures.put(*name, *value);
        }
        figures
    }

    /// A floor of 80 µs in all.
    fn floors() -> Vec<(&'static str, f64)> {
        REFRESH.into_iter().zip([18.0, 22.0, 9.0, 1.0, 1.0, 29.0]).collect()
    }

    #[test]
    fn a_refresh_is_judged_by_the_floors_of_its_own_run() {
        for (actual, met) in [(136.0, true), (137.0, false)] {
            let goals = judge(&figures(&[&floors()[..], &[("es256.refresh.service", actual)]].concat()));
            assert_eq!(goals.len(), 1);
            assert_eq!((goals[0].key, goals[0].met), ("refresh_es256", met));
            assert!((goals[0].efficiency - 80.0 / actual).abs() < 1e-9);
        }
    }

    #[test]
    fn rates_have_to_be_higher_and_latencies_are_not_steady() {
        let values = [
            ("embedded.refresh.per_second", 7_999.0),
            ("floor.sqlite.one_by_one_per_second", 2_000.0),
            ("embedded.refresh.p99_at_half_load", 9_000.0),
        ];
        let goals = judge(&figures(&values));
        let found: Vec<_> = goals.iter().map(|goal| (goal.key, goal.met, goal.steady)).collect();
        assert_eq!(found, [("embedded_rate", false, true), ("embedded_p99", true, false)]);
        assert_eq!(goals[0].bound, "≥ 8000/s (4 × one transaction per request)");
        assert_eq!(goals[1].figure, "9.0 ms");
    }

    #[test]
    fn the_cost_of_many_sessions_is_that_of_all_processes() {
        let mut figures = Figures::default();
        for (sessions, redis) in [(1_000, 20.0), (10_000, 90.0), (100_000, 36.0)] {
            figures.sizes.push(Size { sessions, service: 70.0, redis, postgres: 10.0 });
        }
        let goals = judge(&figures);
        assert_eq!((goals[0].key, goals[0].figure.as_str(), goals[0].met), ("sessions", "1.16 ×", false));
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        assert!(judge(&Figures::default()).is_empty());
    }
}
