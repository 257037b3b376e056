//! One test per row of the table in `docs/sessions.md`, each with every state in which the row is the first that fits.

use super::{FOREIGNER, NOW, OWNER, POLICY, entry, generation, issued_at, rotation, secs, shown};
use revolve_domain::{
    model::Epoch,
    rotation::{
        DeviceProof, Entry, LiveToken, RetryPolicy, ReusePolicy, Rotation, RotationOutcome, Write,
        step,
    },
};

/// The ages of an entry: just rotated, in the free window, late, late only when bound, and after every window.
const AGES: [u64; 5] = [0, 5, 300, 2000, 5000];

fn bound(entry: Entry) -> Entry {
    Entry {
        token: LiveToken {
            device: Some(OWNER),
            ..entry.token
        },
        ..entry
    }
}

#[track_caller]
fn assert_step(found: Option<Entry>, rotation: Rotation, outcome: RotationOutcome, write: Write) {
    assert_eq!(
        step(found.as_ref(), &rotation, NOW),
        (outcome, write),
        "{rotation:#?} applied to {found:#?}"
    );
}

/// What a rotation puts in place of an entry.
fn successor(rotation: &Rotation, late: u32) -> Write {
    Write::Put(Entry {
        token: rotation.successor(),
        parent_issued_at: Some(rotation.presented_issued_at),
        epoch: rotation.epoch,
        rotated_at: NOW,
        dies_at: NOW.plus(rotation.successor().lifetime()),
        late,
        charged: false,
        reused: false,
    })
}

#[test]
fn the_device_check_comes_before_every_row() {
    let proof = |shown, bound| DeviceProof {
        owner: OWNER,
        shown,
        bound,
    };
    for presented in 1..=8 {
        for age in AGES {
            let refused = [
                (None, proof(None, true)),
                (None, proof(Some(FOREIGNER), false)),
                (Some(entry(secs(age))), proof(None, true)),
                (Some(entry(secs(age))), proof(Some(FOREIGNER), false)),
                (Some(bound(entry(secs(age)))), proof(None, false)),
                (Some(bound(entry(secs(age)))), proof(Some(FOREIGNER), true)),
            ];
            for (found, device) in refused {
                let rotation = Rotation {
                    device,
                    ..rotation(presented)
                };
                assert_step(
                    found,
                    rotation,
                    RotationOutcome::DeviceMismatch,
                    Write::Keep,
                );
            }
        }
    }
}

#[test]
fn the_device_check_lets_pass_who_shows_the_credential_or_need_not() {
    let live = entry(secs(0));
    for (found, rotation) in [
        (live, rotation(5)),
        (live, shown(5)),
        (bound(live), shown(5)),
    ] {
        assert_step(
            Some(found),
            rotation,
            RotationOutcome::Rotated(rotation.successor()),
            successor(&rotation, 0),
        );
    }
    let proven = Rotation {
        device: DeviceProof {
            bound: true,
            ..shown(5).device
        },
        ..shown(5)
    };
    assert_step(
        Some(live),
        proven,
        RotationOutcome::Rotated(proven.successor()),
        successor(&proven, 0),
    );
}

#[test]
fn unknown_without_an_entry() {
    for presented in 1..=8 {
        assert_step(
            None,
            rotation(presented),
            RotationOutcome::Unknown,
            Write::Keep,
        );
        assert_step(
            None,
            shown(presented),
            RotationOutcome::Unknown,
            Write::Keep,
        );
    }
}

#[test]
fn unknown_when_the_live_key_has_expired() {
    // Even a later generation does not revive an expired entry, and the expired entry's device does not count.
    for presented in 1..=8 {
        let dead = Entry {
            dies_at: NOW,
            ..entry(secs(300))
        };
        assert_step(
            Some(dead),
            rotation(presented),
            RotationOutcome::Unknown,
            Write::Keep,
        );
        assert_step(
            Some(bound(dead)),
            rotation(presented),
            RotationOutcome::Unknown,
            Write::Keep,
        );
    }
}

#[test]
fn healed_when_the_store_is_at_an_earlier_generation() {
    for (presented, age) in [6, 7, 100]
        .into_iter()
        .flat_map(|presented| AGES.map(|age| (presented, age)))
    {
        let found = Entry {
            late: 3,
            charged: true,
            ..entry(secs(age))
        };
        let rotation = Rotation {
            epoch: Epoch::new(9),
            ..rotation(presented)
        };
        let healed = RotationOutcome::Healed {
            token: rotation.successor(),
            lost: generation(5),
        };
        assert_step(Some(found), rotation, healed, successor(&rotation, 0));
        let expired = Rotation {
            expired: true,
            ..rotation
        };
        assert_step(Some(found), expired, RotationOutcome::Unknown, Write::Keep);
    }
}

#[test]
fn reused_when_another_token_of_that_generation_is_presented() {
    // Whatever the windows and whatever was retried: also while a retry would be free.
    for (presented, age) in [4, 5]
        .into_iter()
        .flat_map(|presented| AGES.map(|age| (presented, age)))
    {
        for (late, charged) in [(0, false), (1, true)] {
            let found = Entry {
                late,
                charged,
                ..entry(secs(age))
            };
            let genuine = issued_at(presented);
            for other in [genuine.minus(secs(1)), genuine.plus(secs(1))] {
                for attempt in [rotation(presented), shown(presented)] {
                    let another = Rotation {
                        presented_issued_at: other,
                        ..attempt
                    };
                    let reused = |revoked| RotationOutcome::Reused {
                        live: generation(5),
                        age: secs(age),
                        revoked,
                    };
                    let marked = Entry {
                        reused: true,
                        ..found
                    };
                    assert_step(Some(found), another, reused(true), Write::Put(marked));
                    let expired = Rotation {
                        expired: true,
                        ..another
                    };
                    assert_step(Some(found), expired, reused(true), Write::Put(marked));
                    let reject = Rotation {
                        policy: RetryPolicy {
                            reuse: ReusePolicy::Reject,
                            ..POLICY
                        },
                        ..another
                    };
                    assert_step(Some(found), reject, reused(false), Write::Keep);
                }
            }
        }
    }
}

#[test]
fn repeated_when_nobody_knows_what_was_replaced() {
    // Written by a release that did not keep it; the live token itself is known all the same.
    let found = Entry {
        parent_issued_at: None,
        ..entry(secs(5))
    };
    for other in [issued_at(4), NOW] {
        let retry = Rotation {
            presented_issued_at: other,
            ..rotation(4)
        };
        let repeated = RotationOutcome::Repeated {
            token: found.token,
            age: secs(5),
            late: false,
        };
        assert_step(Some(found), retry, repeated, Write::Keep);
    }
}

#[test]
fn rotated_when_the_live_token_is_presented() {
    for (age, expired) in AGES.into_iter().flat_map(|age| [(age, false), (age, true)]) {
        for (late, charged, carried) in [(0, false, 0), (2, false, 0), (1, true, 1), (3, true, 3)] {
            let found = Entry {
                late,
                charged,
                ..entry(secs(age))
            };
            let rotation = Rotation {
                expired,
                epoch: Epoch::new(9),
                ..rotation(5)
            };
            assert_step(
                Some(found),
                rotation,
                RotationOutcome::Rotated(rotation.successor()),
                successor(&rotation, carried),
            );
        }
    }
}

#[test]
fn repeated_within_the_free_window() {
    for age in [0, 5] {
        for (late, charged) in [(0, false), (3, false), (3, true), (100, false)] {
            let found = Entry {
                late,
                charged,
                ..entry(secs(age))
            };
            let repeated = RotationOutcome::Repeated {
                token: found.token,
                age: secs(age),
                late: false,
            };
            assert_step(Some(found), rotation(4), repeated, Write::Keep);
            assert_step(
                Some(found),
                Rotation {
                    expired: true,
                    ..rotation(4)
                },
                repeated,
                Write::Keep,
            );
        }
    }
}

#[test]
fn repeated_late_and_charged_once() {
    for (age, rotation) in [(300, rotation(4)), (300, shown(4)), (2000, shown(4))] {
        for late in 0..3 {
            let found = Entry {
                late,
                ..entry(secs(age))
            };
            let repeated = RotationOutcome::Repeated {
                token: found.token,
                age: secs(age),
                late: true,
            };
            let charged = Entry {
                late: late + 1,
                charged: true,
                ..found
            };
            assert_step(Some(found), rotation, repeated, Write::Put(charged));
            assert_step(Some(charged), rotation, repeated, Write::Keep);
        }
    }
}

#[test]
fn stale_within_the_free_window() {
    for (age, presented) in [0, 5]
        .into_iter()
        .flat_map(|age| (1..=3).map(move |presented| (age, presented)))
    {
        assert_step(
            Some(entry(secs(age))),
            rotation(presented),
            RotationOutcome::Stale,
            Write::Keep,
        );
        assert_step(
            Some(entry(secs(age))),
            shown(presented),
            RotationOutcome::Stale,
            Write::Keep,
        );
    }
}

#[test]
fn reused_in_every_other_state() {
    let old = entry(secs(300));
    let used_up = Entry { late: 3, ..old };
    let charged_and_past_the_window = Entry {
        late: 1,
        charged: true,
        ..entry(secs(2000))
    };
    let strict = RetryPolicy {
        retry_window: secs(0),
        ..POLICY
    };
    let cases = [
        (old, rotation(3)),
        (old, shown(1)),
        (used_up, rotation(4)),
        (entry(secs(2000)), rotation(4)),
        (charged_and_past_the_window, rotation(4)),
        (entry(secs(5000)), shown(4)),
        (
            old,
            Rotation {
                policy: strict,
                ..rotation(4)
            },
        ),
        (
            old,
            Rotation {
                policy: RetryPolicy {
                    late_retries: 0,
                    ..POLICY
                },
                ..rotation(4)
            },
        ),
    ];
    for (found, rotation) in cases {
        let reused = |revoked| RotationOutcome::Reused {
            live: generation(5),
            age: NOW.since(found.rotated_at),
            revoked,
        };
        let marked = Entry {
            reused: true,
            ..found
        };
        assert_step(Some(found), rotation, reused(true), Write::Put(marked));
        // Once found, every attempt is reuse, under any policy.
        for presented in 1..=7 {
            for policy in [
                rotation.policy,
                RetryPolicy {
                    reuse: ReusePolicy::Reject,
                    ..rotation.policy
                },
            ] {
                let again = Rotation {
                    presented: generation(presented),
                    policy,
                    ..rotation
                };
                assert_step(Some(marked), again, reused(true), Write::Keep);
            }
        }
        let reject = Rotation {
            policy: RetryPolicy {
                reuse: ReusePolicy::Reject,
                ..rotation.policy
            },
            ..rotation
        };
        assert_step(Some(found), reject, reused(false), Write::Keep);
    }
}
