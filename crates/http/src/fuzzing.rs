//! What the fuzz targets in `crates/app/fuzz` throw bytes at, behind the feature `fuzzing`: each request body as its handler reads it,
//! up to the use case. Every function says whether the body was accepted, and panics if a promise is broken:
//!
//! - what is refused is a problem of the client (4xx) that repeats no secret of the body;
//! - what is accepted and written down again in its normal form is accepted again, and is the same.

use crate::{
    accounts::{details_of, fields, passwords_of, shown_again},
    kit::{
        body::{Body, NestedBody},
        problem::Problem,
    },
    sessions::{SCOPES, refresh_token_of, scope_of},
};
use actix_web::{ResponseError, body::MessageBody};
use revolve_domain::{
    model::{EmailAddress, Label, Password, WebUrl},
    use_cases::ShownFactor,
};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};

/// The members that hold secrets.
const SECRETS: [&str; 5] = [
    "password",
    "currentPassword",
    "newPassword",
    "refreshToken",
    "recoveryCode",
];

/// A secret as short as this may be part of a message by chance.
const SHORT: usize = 12;

/// The body of `POST /signup`.
pub fn sign_up(bytes: &[u8]) -> bool {
    begin(NestedBody::parse, bytes, |body| {
        fields(body, EmailAddress::parse, |text| {
            Password::choose(text, Password::MIN)
        })
    })
}

/// The body of `POST /signin`.
pub fn sign_in(bytes: &[u8]) -> bool {
    begin(Body::parse, bytes, |body| {
        fields(body, EmailAddress::present, Password::present)
    })
}

/// The body of `POST /tokens`.
pub fn refresh(bytes: &[u8]) -> bool {
    judge(
        bytes,
        refresh_token_of,
        |token| json!({ "refreshToken": token.expose_secret() }),
    )
}

/// The body of `POST /signout`, where it is not empty.
pub fn sign_out(bytes: &[u8]) -> bool {
    judge(bytes, scope_of, |scope| {
        let name = SCOPES
            .iter()
            .find(|(_, known)| known == scope)
            .map(|(name, _)| *name);
        json!({ "scope": name })
    })
}

/// The body of `PUT /details`.
pub fn details(bytes: &[u8]) -> bool {
    judge(bytes, details_of, |request| {
        let change = &request.change;
        let url = |url: &Option<WebUrl>| json!(url.as_ref().map(WebUrl::as_str));
        let members = [
            (
                "name",
                change
                    .name
                    .as_ref()
                    .map(|name| json!(name.as_ref().map(Label::as_str))),
            ),
            ("website", change.website.as_ref().map(url)),
            ("imageUrl", change.image_url.as_ref().map(url)),
            (
                "email",
                change.email.as_ref().map(|email| json!(email.as_str())),
            ),
            (
                "currentPassword",
                request
                    .current_password
                    .as_ref()
                    .map(|password| json!(password.expose())),
            ),
        ];
        let given = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Value::Object(given.collect())
    })
}

/// The body of `PUT /password`.
pub fn password(bytes: &[u8]) -> bool {
    judge(
        bytes,
        |body| passwords_of(body, Password::MIN),
        |request| {
            let new = request.new.expose();
            match &request.current {
                Some(current) => json!({ "currentPassword": current.expose(), "newPassword": new }),
                None => json!({ "newPassword": new }),
            }
        },
    )
}

/// The body of `POST /reauthenticate`.
pub fn reauthenticate(bytes: &[u8]) -> bool {
    judge_read(NestedBody::parse, bytes, shown_again, |request| {
        let password = request.password.as_ref();
        let factor = request.factor.as_ref().map(|factor| match factor {
            ShownFactor::Totp(code) => ("totp", json!(code.expose())),
            ShownFactor::RecoveryCode(code) => {
                ("recoveryCode", json!(code.shown().expose_secret()))
            }
            ShownFactor::Passkey(credential) => ("credential", credential.clone()),
        });
        let members = [
            password.map(|password| ("currentPassword", json!(password.expose()))),
            request
                .challenge
                .map(|challenge| ("challenge", json!(challenge))),
            factor,
        ];
        let given = members.into_iter().flatten();
        Value::Object(
            given
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    })
}

fn begin(read: Read, bytes: &[u8], parse: impl Fn(Body) -> Result<Begin, Problem>) -> bool {
    judge_read(
        read,
        bytes,
        parse,
        |(email, password, device)| json!({ "email": email.as_str(), "password": password.expose(), "deviceName": device.as_ref().map(Label::as_str) }),
    )
}

type Begin = (revolve_domain::model::EmailAddress, Password, Option<Label>);

/// How a handler reads the bytes of a body.
type Read = fn(&[u8]) -> Result<Body, Problem>;

fn judge<T>(
    bytes: &[u8],
    parse: impl Fn(Body) -> Result<T, Problem>,
    write: impl Fn(&T) -> Value,
) -> bool {
    judge_read(Body::parse, bytes, parse, write)
}

fn judge_read<T>(
    read: Read,
    bytes: &[u8],
    parse: impl Fn(Body) -> Result<T, Problem>,
    write: impl Fn(&T) -> Value,
) -> bool {
    let read = |bytes: &[u8]| read(bytes).and_then(&parse);
    match read(bytes) {
        Ok(value) => {
            let normal = write(&value);
            match read(normal.to_string().as_bytes()) {
                Ok(again) => assert!(
                    write(&again) == normal,
                    "the normal form is read as something else"
                ),
                Err(problem) => panic!("the normal form is refused: {problem}"),
            }
            true
        }
        Err(problem) => {
            assert!(
                problem.status_code().is_client_error(),
                "refused with {problem}"
            );
            let answer = problem
                .error_response()
                .into_body()
                .try_into_bytes()
                .map_err(drop);
            let answer: Value = serde_json::from_slice(&answer.expect("a problem is at hand"))
                .expect("a problem is JSON");
            assert!(
                !repeats_a_secret(bytes, &answer),
                "the answer repeats a secret"
            );
            false
        }
    }
}

/// Whether a text in the answer has a secret of the body in it. Names of members are no secrets: they are repeated.
fn repeats_a_secret(body: &[u8], answer: &Value) -> bool {
    let Ok(body) = serde_json::from_slice::<Map<String, Value>>(body) else {
        return false;
    };
    let secrets = SECRETS.iter().filter_map(|name| body.get(*name)?.as_str());
    let answer = answer.to_string();
    secrets
        .filter(|secret| secret.len() >= SHORT && !body.keys().any(|name| name.contains(secret)))
        .any(|secret| answer.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    /// Whether each body of a target's corpus is accepted, by the file's name.
    fn corpus(target: &str, judge: fn(&[u8]) -> bool) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../app/fuzz/corpus")
            .join(target);
        let mut seen = [false; 2];
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            // What a fuzzer has left here is named by its hash.
            let expected = name.starts_with("good");
            let accepted = judge(&fs::read(&path).unwrap());
            if expected || name.starts_with("bad") {
                assert_eq!(accepted, expected, "{target}/{name}");
                seen[usize::from(accepted)] = true;
            }
        }
        assert_eq!(
            seen, [true; 2],
            "{target}: the corpus has bodies of both kinds"
        );
    }

    #[test]
    fn the_corpus_is_judged_as_its_names_say() {
        corpus("signup", sign_up);
        corpus("signin", sign_in);
        corpus("tokens", refresh);
        corpus("signout", sign_out);
        corpus("details", details);
        corpus("password", password);
        corpus("reauthenticate", reauthenticate);
    }

    #[test]
    fn a_repeated_secret_is_noticed() {
        let body = br#"{"password":"correct horse battery"}"#;
        assert!(repeats_a_secret(
            body,
            &json!({ "detail": "not correct horse battery" })
        ));
        assert!(!repeats_a_secret(body, &json!({ "detail": "not that" })));
    }
}
