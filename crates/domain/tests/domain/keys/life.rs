//! The transitions, without any store.

use super::POLICY;
use revolve_domain::{
    keys::{Active, Algorithm, KeyId, KeyKind, KeyUse, Next, NotYet, Phase, Retired},
    model::Timestamp,
};
use std::time::Duration;

const T: Timestamp = Timestamp::from_seconds(1_900_000_000);
const MS: Duration = Duration::from_millis(1);

#[test]
fn a_key_is_published_for_the_cache_time_of_the_key_set_before_it_signs() {
    let next = Next::publish(T, POLICY.lead(KeyUse::Id));
    assert!(next.signs_from.since(T) >= POLICY.key_set_max_age);
    assert_eq!(
        next.activate(next.signs_from.minus(MS)),
        Err(NotYet(next.signs_from))
    );
    assert_eq!(
        next.activate(next.signs_from),
        Ok(Active {
            since: next.signs_from
        })
    );
    assert_eq!(next.activate_early(T), Active { since: T });
}

#[test]
fn a_retired_key_stays_until_its_last_token_has_expired() {
    let retired = Active::begin(T).retire(T.plus(MS), POLICY.id_lifetime, POLICY.margin);
    assert_eq!(
        retired,
        Retired {
            since: T.plus(MS),
            until: T.plus(MS + POLICY.id_lifetime + POLICY.margin)
        }
    );
    assert_eq!(
        retired.remove(retired.until.minus(MS)),
        Err(NotYet(retired.until))
    );
    assert!(retired.remove(retired.until).is_ok());
}

#[test]
fn a_phase_survives_its_parts_and_wrong_parts_are_no_phase() {
    let phases = [
        Phase::Next(Next::publish(T, POLICY.margin)),
        Phase::Active(Active::begin(T)),
        Phase::Retired(Retired {
            since: T,
            until: T.plus(MS),
        }),
    ];
    for phase in phases {
        assert_eq!(
            Phase::from_parts(phase.state().name(), phase.since(), phase.until()),
            Some(phase)
        );
    }
    for (state, until) in [
        ("next", None),
        ("active", Some(T)),
        ("retired", None),
        ("gone", None),
        ("", Some(T)),
    ] {
        assert_eq!(Phase::from_parts(state, T, until), None, "{state}");
    }
}

#[test]
fn kinds_survive_their_names_and_uses_have_algorithms_of_their_own() {
    for kind in Algorithm::ALL
        .map(KeyKind::Id)
        .into_iter()
        .chain([KeyKind::Refresh])
    {
        assert_eq!(
            KeyKind::from_names(kind.usage().name(), kind.algorithm_name()),
            Ok(kind)
        );
    }
    for (usage, algorithm) in [
        ("id", "HS256"),
        ("refresh", "RS256"),
        ("id", "none"),
        ("", "RS256"),
    ] {
        assert!(
            KeyKind::from_names(usage, algorithm).is_err(),
            "{usage} {algorithm}"
        );
    }
}

#[test]
fn a_key_id_is_short_base64url() {
    for good in ["a", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"] {
        assert_eq!(good.parse::<KeyId>().expect("a name").as_str(), good);
    }
    for bad in ["", "a b", "a/b", "a\"", "ü", &"a".repeat(65)] {
        assert!(bad.parse::<KeyId>().is_err(), "{bad}");
    }
}
