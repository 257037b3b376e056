//! Refreshes and `/me`.

use crate::bench::{
    figures::Figures,
    goal::{Bound, Goals, Unit},
};

/// The parts of a refresh, bare: a request and its answer, one read, one call, a token verified and two signed.
pub(super) const REFRESH: [&str; 6] = [
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
/// The parts of a refresh in the embedded store, bare: its rotation is one of many in a commit.
const EMBEDDED: [&str; 6] = [
    "echo.echo.service",
    "floor.sqlite.read",
    "floor.sqlite.in_groups_cpu",
    "floor.HS256.verify.raw",
    "floor.HS256.sign.raw",
    "floor.ES256.sign.raw",
];

pub(super) fn server(goals: &mut Goals, figures: &Figures) {
    if let Some((actual, floor)) = figures.beside("es256.refresh.service", &REFRESH) {
        let bound = Bound {
            factor: 1.25,
            floor,
            called: &format!("1.25 × floors, {floor:.0} µs"),
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
    let signature = fastest(figures);
    let rs256 = signature.and_then(|signature| {
        let floors = [&REFRESH[..], &[signature]].concat();
        figures.beside("rs256.refresh.service", &floors)
    });
    if let Some((actual, floor)) = rs256 {
        let bound = Bound {
            factor: 1.0,
            floor,
            called: "1 × (raw signature by the fastest library + floors with ES256)",
        };
        goals.at_most(
            "refresh_rs256",
            "refresh, RS256: CPU of the service",
            &bound,
            actual,
            Unit::Micros,
        );
    }
    for (key, what, name) in [
        (
            "refresh_oauth",
            "refresh at `/oauth/token`, ES256: CPU of the service",
            "es256.oauth_refresh.service",
        ),
        (
            "refresh_cookie",
            "refresh by a browser, tokens and device in cookies, ES256: CPU of the service",
            "es256.cookie_refresh.service",
        ),
    ] {
        if let Some((actual, floor)) = figures.beside(name, &["es256.refresh.service"]) {
            let bound = Bound {
                factor: 1.1,
                floor,
                called: "1.1 × the plain refresh",
            };
            goals.at_most(key, what, &bound, actual, Unit::Micros);
        }
    }
    if let Some((actual, floor)) = figures.beside(
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
    if let Some((actual, floor)) = figures.beside("es256.me.service", &ME) {
        let bound = Bound {
            factor: 1.25,
            floor,
            called: &format!("1.25 × floors, {floor:.0} µs"),
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

pub(super) fn embedded(goals: &mut Goals, figures: &Figures) {
    if let Some((actual, floor)) = figures.beside("embedded.refresh.service", &EMBEDDED) {
        let bound = Bound {
            factor: 1.3,
            floor,
            called: &format!("1.3 × floors, {floor:.0} µs"),
        };
        let what = "refresh, embedded store: CPU of the service";
        goals.at_most("embedded_cpu", what, &bound, actual, Unit::Micros);
    }
    if let Some((actual, floor)) = figures.beside(
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

/// The signature of RS256 by the library that is faster here.
fn fastest(figures: &Figures) -> Option<&'static str> {
    let libraries = ["floor.RS256.sign.raw", "floor.RS256.sign.aws_lc"];
    let measured = libraries
        .into_iter()
        .filter_map(|name| Some((figures.get(name)?, name)));
    let fastest = measured.min_by(|(one, _), (other, _)| one.total_cmp(other));
    fastest.map(|(_, name)| name)
}
