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
fn mails_have_to_leave_fast_and_take_no_memory() {
    let mut figures = Figures::default();
    for (name, value) in [
        ("drain_server.per_second", 299.0),
        ("drain_server.rss.before", 20.0 * MIB),
        ("drain_server.rss.peak", 27.0 * MIB),
    ] {
        figures.put(name, value);
    }
    let found: Vec<_> = judge(&figures)
        .iter()
        .map(|goal| (goal.key, goal.met, goal.steady))
        .collect();
    assert_eq!(
        found,
        [
            ("mails_server", false, false),
            ("mails_memory_server", true, true)
        ]
    );
}

#[test]
fn a_full_outbox_is_compared_with_an_empty_one_over_all_processes() {
    let mut values = Vec::new();
    for (part, empty, full) in [
        ("service", 70.0, 70.0),
        ("redis", 20.0, 20.0),
        ("postgres", 10.0, 16.0),
    ] {
        values.push((format!("outbox_empty_server.refresh.{part}"), empty));
        values.push((format!("outbox_full_server.refresh.{part}"), full));
    }
    values.push(("mail_off.sign_in.service".to_owned(), 18_000.0));
    values.push(("mail_on.sign_in.service".to_owned(), 18_500.0));
    let values: Vec<_> = values
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    let goals = judge(&figures(&values));
    let found: Vec<_> = goals
        .iter()
        .map(|goal| (goal.key, goal.figure.as_str(), goal.met))
        .collect();
    assert_eq!(
        found,
        [
            ("outbox_refresh_server", "1.06 ×", false),
            ("mail_sign_in", "1.03 ×", true)
        ]
    );
}

#[test]
fn what_was_not_measured_is_not_judged() {
    assert!(judge(&Figures::default()).is_empty());
}
