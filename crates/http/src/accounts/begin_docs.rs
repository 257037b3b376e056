//! How `POST /signup` and `POST /signin` are documented.

use super::{Answer, DeviceAnswer};
use crate::http::{
    answer::docs as sample,
    openapi::{Member, Operation, email, example, known_password, label, new_password},
    problem::Problem,
};
use revolve_domain::{
    model::SessionId,
    use_cases::{SignInError, SignUpError},
};
use serde_json::{Value, json};

const COOKIE: &str = "The device credential for browsers, which scripts can't read. Over https its name is `__Host-revolve-device`.";
const COOKIE_EXAMPLE: &str = "revolve-device=AZp8Dl0gfmSg-St9PF6KFA.q8Jx2vT0b6yA1mZ5s7dK9gW3uRfHnLpQ; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000";

fn device_name() -> Member {
    Member::nullable(
        "deviceName",
        label(
            "What to call the device in the list of sessions.",
            "Ann's phone",
        ),
    )
}

pub(in crate::http) fn sign_up() -> Operation {
    let description = "Makes an account and signs in. Keep `device.credential`: only a sign-up and a sign-in hand it out. An address that is taken is 409 (a sign-up can't hide that), so sign in then.\n\nAfter a 503 or \
                       without an answer, send the same again: nothing is half-made, and 409 says that it was made.";
    Operation::new("signUp", "account", "Sign up", description)
        .device()
        .limited()
        .body(
            "SignUp",
            "Who signs up.",
            [Member::required("email", email()), Member::required("password", new_password()), device_name()],
            [
                ("The least", json!({ "email": "ann@example.org", "password": "correct horse battery" })),
                (
                    "With a name for the device",
                    json!({ "email": "ann@example.org", "password": "correct horse battery", "deviceName": "Ann's phone" }),
                ),
            ],
        )
        .json::<Answer<'_>, 2>(
            201,
            "The account is made, and a session has begun.",
            [("For an app", answer(&[], true)), ("For a browser", answer(&[], false))],
        )
        .header([201], "Set-Cookie", COOKIE, COOKIE_EXAMPLE)
        .problems([Problem::from(SignUpError::EmailTaken)])
}

pub(in crate::http) fn sign_in() -> Operation {
    let description = "Begins a session. Show the device credential, if there is one: then the session is bound to the device, and \
                       replaces the one that the device had.\n\nA user has so many sessions at most (`sessions.max_per_user`); the one \
                       that was refreshed longest ago makes room, and is named in `evicted`.";
    let password =
        known_password("The account's password. One that is too short is merely wrong. `too_long`");
    Operation::new("signIn", "account", "Sign in", description)
        .device()
        .limited()
        .body(
            "SignIn",
            "Who signs in.",
            [Member::required("email", email()), Member::required("password", password), device_name()],
            [
                ("The least", json!({ "email": "ann@example.org", "password": "correct horse battery" })),
                (
                    "With a name for the device",
                    json!({ "email": "ann@example.org", "password": "correct horse battery", "deviceName": "Ann's phone" }),
                ),
            ],
        )
        .json::<Answer<'_>, 2>(
            200,
            "A session has begun.",
            [
                ("For an app", answer(&[], true)),
                ("For a browser, with a session that had to make room", answer(&[sample::OTHER_SESSION], false)),
            ],
        )
        .header([200], "Set-Cookie", COOKIE, COOKIE_EXAMPLE)
        .problems([SignInError::InvalidCredentials, SignInError::Superseded].map(Problem::from))
}

fn answer(evicted: &[SessionId], credential: bool) -> Value {
    let device = DeviceAnswer {
        id: sample::DEVICE,
        credential: credential.then_some(sample::CREDENTIAL),
    };
    example(&Answer {
        tokens: sample::tokens(),
        session: sample::session(Some(evicted)),
        device,
    })
}
