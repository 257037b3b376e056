//! What may be required of the user's authentication, and the challenge where it is not enough (RFC 9470).

mod services;

use crate::support::{NOW, TestClock, TestKey, claims, verifier};
use revolve_verify::{
    Algorithm, Claims, InsufficientAuthentication, RequiredAuthentication, Verifier,
};
use serde_json::{Value, json};
use std::{panic::catch_unwind, sync::Arc, time::Duration};

const MINUTE: Duration = Duration::from_mins(1);
const PREFIX: &str =
    "Bearer realm=\"revolve\", error=\"insufficient_user_authentication\", error_description=\"";

/// The user was authenticated at this time, by these methods.
fn authenticated(at: u64, amr: &[&str]) -> Value {
    let mut claims = claims();
    claims["auth_time"] = json!(at);
    claims["amr"] = json!(amr);
    claims
}

/// A key, a verifier that knows it, and its clock.
fn world() -> (Arc<TestKey>, Verifier, TestClock) {
    let key = TestKey::of_issuer(Algorithm::Es256);
    let (verifier, clock) = verifier(&[&key]);
    (key, verifier, clock)
}

/// What of a token that is shown when it is issued is asked later.
struct Judge {
    verifier: Verifier,
    clock: TestClock,
    claims: Claims,
}

impl Judge {
    fn of(claims: &Value) -> Self {
        let (key, verifier, clock) = world();
        let claims = verifier.verify_at_hand(&key.token(claims)).unwrap();
        Self {
            verifier,
            clock,
            claims,
        }
    }

    fn check(
        &self,
        required: &RequiredAuthentication,
        now: u64,
    ) -> Result<(), InsufficientAuthentication> {
        self.clock.set(now);
        self.verifier.require_authentication(&self.claims, required)
    }
}

#[test]
fn an_authentication_is_recent_up_to_its_age_and_the_leeway() {
    let judge = Judge::of(&authenticated(NOW - 100, &["pwd"]));
    let recent = RequiredAuthentication::recent;
    for (required, now, expected) in [
        (recent(MINUTE * 2), NOW, true),
        // 60 s and the leeway of 5 s.
        (recent(MINUTE), NOW - 100 + 65, true),
        (recent(MINUTE), NOW - 100 + 66, false),
        (recent(MINUTE), NOW, false),
        // A fraction of a second is dropped.
        (
            recent(MINUTE + Duration::from_millis(999)),
            NOW - 100 + 66,
            false,
        ),
        // None may pass, but for the leeway.
        (recent(Duration::ZERO), NOW - 100, true),
        (recent(Duration::ZERO), NOW - 100 + 5, true),
        (recent(Duration::ZERO), NOW - 100 + 6, false),
        (recent(Duration::from_millis(999)), NOW - 100 + 6, false),
        // The issuer's clock is ahead, by no more than the leeway.
        (recent(MINUTE), NOW - 100 - 5, true),
        (recent(MINUTE), NOW - 100 - 6, false),
        (recent(Duration::MAX), NOW, true),
        (recent(Duration::MAX), u64::MAX, true),
        (recent(MINUTE), u64::MAX, false),
        (recent(MINUTE), 0, false),
    ] {
        let found = judge.check(&required, now);
        assert_eq!(found.is_ok(), expected, "{required:?} at {now}");
    }
}

#[test]
fn a_time_at_the_ends_of_what_a_token_can_say_is_not_recent() {
    for at in [0, u64::MAX] {
        let judge = Judge::of(&authenticated(at, &["pwd"]));
        let recent = RequiredAuthentication::recent(MINUTE);
        judge.check(&recent, NOW).unwrap_err();
    }
}

#[test]
fn all_methods_that_are_named_are_needed_or_those_of_an_alternative() {
    let by = RequiredAuthentication::by;
    let passkey = RequiredAuthentication::by_one_of(&[&["hwk"], &["swk"]]);
    let mixed = RequiredAuthentication::by_one_of(&[&["pwd", "otp"], &["hwk"]]);
    for (required, amr, expected) in [
        (by(&["mfa"]), &["mfa", "otp", "pwd"][..], true),
        (by(&["mfa"]), &["otp", "pwd"], false),
        (by(&["mfa"]), &[], false),
        (by(&["mfa"]), &["MFA", "mfa2", "mf", "mfa "], false),
        (by(&["otp", "pwd"]), &["otp", "pwd"], true),
        (by(&["pwd", "otp"]), &["otp", "pwd", "x"], true),
        (by(&["otp", "pwd"]), &["otp"], false),
        (by(&["otp", "pwd"]), &["pwd"], false),
        (passkey.clone(), &["hwk", "mfa", "user"], true),
        (passkey.clone(), &["mfa", "swk", "user"], true),
        (passkey.clone(), &["mfa", "otp", "pwd"], false),
        (passkey, &[], false),
        (mixed.clone(), &["hwk", "otp"], true),
        (mixed.clone(), &["otp", "pwd"], true),
        (mixed, &["otp"], false),
        // Any other name will do that a service has.
        (by(&["geo"]), &["geo"], true),
    ] {
        let judge = Judge::of(&authenticated(NOW, amr));
        let found = judge.check(&required, NOW);
        assert_eq!(found.is_ok(), expected, "{required:?} of {amr:?}");
    }
}

#[test]
fn a_token_that_does_not_say_how_is_not_enough_where_methods_are_required() {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove("amr");
    let judge = Judge::of(&claims);
    let insufficient = judge.check(&RequiredAuthentication::by(&["pwd"]), NOW);
    assert!(
        insufficient
            .unwrap_err()
            .to_string()
            .contains("other methods")
    );
    judge
        .check(&RequiredAuthentication::recent(MINUTE), NOW)
        .unwrap();
}

#[test]
fn a_challenge_says_all_that_is_required_and_why_it_is_made() {
    const RECENT: &str = "a more recent authentication is required";
    const METHODS: &str = "an authentication by other methods is required";
    const BOTH: &str = "a more recent authentication, by other methods, is required";
    let of = |required: &RequiredAuthentication, at: u64, amr: &[&str]| {
        let judge = Judge::of(&authenticated(at, amr));
        judge.check(required, NOW).unwrap_err()
    };
    let recent = RequiredAuthentication::recent(MINUTE * 5);
    let strong = RequiredAuthentication::by(&["mfa"]);
    let both = strong.clone().within(MINUTE * 5);
    let now = RequiredAuthentication::recent(Duration::ZERO);
    let passkey = RequiredAuthentication::by_one_of(&[&["hwk", "user"], &["swk"]]).within(MINUTE);
    let old = NOW - 1000;
    for (required, at, amr, reason, parameters) in [
        (&recent, old, &["pwd"][..], RECENT, "max_age=\"300\""),
        (&now, old, &["pwd"], RECENT, "max_age=\"0\""),
        (&strong, NOW, &["pwd"], METHODS, "acr_values=\"mfa\""),
        // Whichever it is that is missing: a new authentication must meet both.
        (
            &both,
            NOW,
            &["pwd"],
            METHODS,
            "max_age=\"300\", acr_values=\"mfa\"",
        ),
        (
            &both,
            old,
            &["mfa"],
            RECENT,
            "max_age=\"300\", acr_values=\"mfa\"",
        ),
        (
            &both,
            old,
            &["pwd"],
            BOTH,
            "max_age=\"300\", acr_values=\"mfa\"",
        ),
        (
            &passkey,
            NOW,
            &["hwk"],
            METHODS,
            "max_age=\"60\", acr_values=\"hwk+user swk\"",
        ),
    ] {
        let insufficient = of(required, at, amr);
        assert_eq!(insufficient.to_string(), reason);
        let challenge = insufficient.challenge();
        assert_eq!(challenge, format!("{PREFIX}{reason}\", {parameters}"));
    }
    let insufficient = of(&both, old, &["pwd"]);
    assert_eq!(insufficient.code(), "insufficient_user_authentication");
    assert_eq!(insufficient.max_age(), Some(300));
    assert_eq!(insufficient.acr_values().as_deref(), Some("mfa"));
    let insufficient = of(&recent, old, &["pwd"]);
    assert_eq!(insufficient.acr_values(), None);
}

#[test]
fn names_that_are_none_are_found_where_they_are_written() {
    for bad in [
        &[][..],
        &[""],
        &["mfa", ""],
        &["hwk swk"],
        &["mfa\""],
        &["mfa\r\nx"],
        &["mfä"],
        &["hwk+user"],
    ] {
        let bad: Vec<String> = bad.iter().map(|name| (*name).to_owned()).collect();
        let message = format!("{bad:?}");
        let made = catch_unwind(|| {
            let names: Vec<&str> = bad.iter().map(String::as_str).collect();
            RequiredAuthentication::by_one_of(&[&["pwd"], &names])
        });
        assert!(made.is_err(), "{message}");
    }
    assert!(catch_unwind(|| RequiredAuthentication::by_one_of(&[])).is_err());
    let _ = RequiredAuthentication::by(&["a-Z_09"]);
}
