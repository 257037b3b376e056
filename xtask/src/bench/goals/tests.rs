use super::{refreshes::REFRESH, *};
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
    for (actual, met) in [(99.9, true), (100.1, false)] {
        let goals = judge(&figures(
            &[&floors()[..], &[("es256.refresh.service", actual)]].concat(),
        ));
        assert_eq!(goals.len(), 1);
        assert_eq!((goals[0].key, goals[0].met), ("refresh_es256", met));
        assert!((goals[0].efficiency - 80.0 / actual).abs() < 1e-9);
    }
}

#[test]
fn a_signature_of_rs256_by_the_fastest_library_comes_on_top() {
    for (raw, aws_lc) in [(700.0, 800.0), (800.0, 700.0)] {
        let values = [
            &floors()[..],
            &[
                ("floor.RS256.sign.raw", raw),
                ("floor.RS256.sign.aws_lc", aws_lc),
                ("rs256.refresh.service", 780.0),
            ],
        ]
        .concat();
        let goals = judge(&figures(&values));
        assert_eq!(
            (goals[0].key, goals[0].bound.as_str(), goals[0].met),
            (
                "refresh_rs256",
                "≤ 780 µs (1 × (raw signature by the fastest library + floors with ES256))",
                true
            )
        );
    }
    let values = [
        &floors()[..],
        &[
            ("floor.RS256.sign.raw", 700.0),
            ("rs256.refresh.service", 781.0),
        ],
    ]
    .concat();
    assert!(!judge(&figures(&values))[0].met);
}

#[test]
fn other_ways_to_refresh_are_compared_with_the_plain_one() {
    let values = [
        ("es256.refresh.service", 100.0),
        ("es256.oauth_refresh.service", 109.9),
        ("es256.cookie_refresh.service", 110.1),
    ];
    let goals = judge(&figures(&values));
    let found: Vec<_> = goals
        .iter()
        .map(|goal| (goal.key, goal.bound.as_str(), goal.met))
        .collect();
    assert_eq!(
        found,
        [
            ("refresh_oauth", "≤ 110 µs (1.1 × the plain refresh)", true),
            (
                "refresh_cookie",
                "≤ 110 µs (1.1 × the plain refresh)",
                false
            )
        ]
    );
}

#[test]
fn a_refresh_in_the_embedded_store_has_floors_of_its_own() {
    let floors = [
        ("echo.echo.service", 18.0),
        ("floor.sqlite.read", 10.0),
        ("floor.sqlite.in_groups_cpu", 21.0),
        ("floor.HS256.verify.raw", 1.0),
        ("floor.HS256.sign.raw", 1.0),
        ("floor.ES256.sign.raw", 29.0),
    ];
    for (actual, met) in [(103.9, true), (104.1, false)] {
        let goals = judge(&figures(
            &[&floors[..], &[("embedded.refresh.service", actual)]].concat(),
        ));
        assert_eq!(goals.len(), 1);
        assert_eq!(
            (goals[0].key, goals[0].bound.as_str(), goals[0].met),
            ("embedded_cpu", "≤ 104 µs (1.3 × floors, 80 µs)", met)
        );
    }
}

#[test]
fn verifying_a_passkey_may_add_a_little_to_the_check_of_its_signature() {
    for (verify, met) in [(159.9, true), (160.1, false)] {
        let goals = judge(&figures(&[
            ("floor.passkey.signature", 100.0),
            ("floor.passkey.verify", verify),
        ]));
        assert_eq!(
            (goals[0].key, goals[0].bound.as_str(), goals[0].met),
            (
                "passkey",
                "≤ 160 µs (1.3 × the bare check of its signature, 100 µs, + 30 µs)",
                met
            )
        );
    }
}

#[test]
fn hashes_are_to_cost_less_than_the_bare_loop_without_huge_pages() {
    for (actual, met) in [(18_900.0, true), (19_100.0, false)] {
        let goals = judge(&figures(&[
            ("floor.argon2.all_cores_cpu", 20_000.0),
            ("hashing.sign_in.service", actual),
        ]));
        assert_eq!(
            (goals[0].key, goals[0].bound.as_str(), goals[0].met),
            (
                "sign_in_cpu",
                "≤ 19000 µs (0.95 × the bare loop without huge pages)",
                met
            )
        );
    }
}

#[test]
fn what_a_start_leaves_and_takes_has_fixed_bounds() {
    let mut figures = Figures::default();
    for (name, value) in [
        ("start_server.rss.idle", 16.1 * MIB),
        ("start_server.milliseconds", 24.9),
        ("start_embedded.rss.idle", 16.9 * MIB),
        ("start_embedded.milliseconds", 25.1),
        ("binary.bytes", 22_100_000.0),
    ] {
        figures.put(name, value);
    }
    let goals = judge(&figures);
    let found: Vec<_> = goals
        .iter()
        .map(|goal| (goal.key, goal.figure.as_str(), goal.met))
        .collect();
    assert_eq!(
        found,
        [
            ("idle_server", "16.1 MiB", false),
            ("start_server", "24.9 ms", true),
            ("idle_embedded", "16.9 MiB", true),
            ("start_embedded", "25.1 ms", false),
            ("binary", "22.1 MB", false)
        ]
    );
    assert_eq!(goals[4].bound, "≤ 22.0 MB (fixed)");
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
    for (sessions, redis) in [(1_000, 20.0), (10_000, 90.0), (100_000, 31.0)] {
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
        ("sessions", "1.11 ×", false)
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
fn floods_and_the_feed_leave_something_to_others() {
    for (flooded, cpu, bytes, met) in [
        (169_000.0, 9.9, 63_999.0, true),
        (171_000.0, 10.1, 64_001.0, false),
    ] {
        let goals = judge(&figures(&[
            ("flood.others.quiet_p50", 20_000.0),
            ("flood.others.quiet_p99", 50_000.0),
            ("flood.others.flooded_p99", flooded),
            ("feed.cpu", cpu),
            ("feed.bytes", bytes),
        ]));
        let found = goals.iter().map(|goal| (goal.bound.as_str(), goal.met));
        let bounds = [
            "≤ 170.0 ms (3 × of quiet, 50.0 ms, + one hash, 20.0 ms)",
            "≤ 10.0 % (fixed)",
            "≤ 64000 bytes (fixed)",
        ];
        assert_eq!(found.collect::<Vec<_>>(), bounds.map(|bound| (bound, met)));
        assert!(goals.iter().all(|goal| !goal.must));
    }
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
fn a_goal_that_is_not_met_fails_no_run_unless_it_must_be() {
    let goals = judge(&figures(
        &[&floors()[..], &[("es256.refresh.service", 1_000.0)]].concat(),
    ));
    assert!(!goals[0].met && !goals[0].must);
}

#[test]
fn what_was_not_measured_is_not_judged() {
    assert!(judge(&Figures::default()).is_empty());
}
