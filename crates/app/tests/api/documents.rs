//! `GET /openapi.json` and `GET /docs`, and whether the document is true where the other tests don't look: they hold every
//! exchange to it anyway.

use crate::support::{
    Actor, Answer, App, Store,
    described::{body_examples, body_schema, operations},
    field_errors, on_both_stores, with_config,
};
use reqwest::Method;
use revolve::BASE;
use serde_json::{Value, json};

const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::DELETE,
    Method::PATCH,
];

/// Sends a body to an operation, with the ID token.
async fn send(actor: &Actor, (method, path): (&Method, &str), body: &Value) -> Answer {
    let path = path.replace("{id}", "00000000-0000-4000-8000-000000000000");
    actor
        .send(
            actor
                .request(method.clone(), &path)
                .bearer_auth(&actor.id_token)
                .json(body),
        )
        .await
}

/// The POSTs that have nothing to say.
const WITHOUT_BODY: [&str; 6] = [
    "/email/verify",
    "/signin/passkey/options",
    "/reauthenticate/passkey/options",
    "/factors/totp",
    "/factors/recovery-codes",
    "/account/passkeys/options",
];

/// The challenge of an example, which nobody has begun.
const CHALLENGE: &str = "7c2f9e0a-51d8-4b3e-a6f4-0d9c8b7a6e51";

/// The operations of accounts that take a body.
fn operations_with_body() -> Vec<(Method, &'static str)> {
    operations()
        .filter(|(method, ..)| [Method::POST, Method::PUT].contains(method))
        .filter(|(_, path, _)| {
            path.starts_with(BASE) && !WITHOUT_BODY.iter().any(|end| path.ends_with(end))
        })
        .map(|(method, path, _)| (method, path))
        .collect()
}

/// A value that fits a member's schema.
fn valid(name: &str) -> Value {
    match name {
        "email" => "ann@example.org".into(),
        "scope" => "this".into(),
        "website" | "imageUrl" => "https://example.org/".into(),
        "locale" => "de-CH".into(),
        "proof" => "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51".into(),
        "code" | "totp" => "204 816".into(),
        "challenge" => CHALLENGE.into(),
        "recoveryCode" => "7Q2M-X0HD-93VK-ZT4P".into(),
        "credential" => json!({}),
        "passkey" => json!({ "challenge": CHALLENGE, "credential": {} }),
        _ => "correct horse battery".into(),
    }
}

/// The error of a text of a wrong length: where a member has a form of its own, it is that of the form.
fn of_another_form<'a>(name: &str, length: &'a str) -> &'a str {
    match name {
        "locale" => "invalid_locale",
        "proof" | "challenge" => "invalid_id",
        "code" | "totp" | "recoveryCode" => "invalid_code",
        _ => length,
    }
}

/// The member that is missed where there is none of several.
fn first_of_several(
    path: &str,
    described: &serde_json::Map<String, Value>,
) -> Option<&'static str> {
    // Either of them proves the mailbox.
    if described.contains_key("secret") {
        return Some("code");
    }
    let operation = path.strip_prefix(BASE)?;
    match operation {
        // The body has it, or a cookie does.
        "/tokens" => Some("refreshToken"),
        "/signup" => Some("password"),
        "/signin/factor" => Some("totp"),
        "/reauthenticate" => Some("currentPassword"),
        _ => None,
    }
}

on_both_stores! {
    async fn the_document_is_the_one_that_is_checked_in(app: App) {
        let anon = app.anon();
        let answer = anon.send(anon.request(Method::GET, "/openapi.json")).await.expect(200);
        let checked_in: Value = serde_json::from_str(include_str!("../../../../docs/openapi.json")).unwrap();
        assert!(answer.json() == checked_in, "run `cargo xtask openapi`");
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("application/json", "public, max-age=300"));
        let tag = answer.header("etag").to_owned();
        for path in ["/openapi.json", "/docs"] {
            let tag = if path == "/docs" { anon.send(anon.request(Method::GET, path)).await.header("etag").to_owned() } else { tag.clone() };
            let again = anon.send(anon.request(Method::GET, path).header("If-None-Match", &tag)).await.expect(304);
            assert_eq!((again.text.as_str(), again.header("etag")), ("", tag.as_str()));
        }
    }

    async fn every_operation_is_there_and_no_other_method(app: App) {
        let ann = app.sign_up("ann").await;
        let mut paths: Vec<&str> = operations().map(|(_, path, _)| path).collect();
        paths.dedup();
        for path in paths {
            let described: Vec<Method> = operations().filter(|(_, other, _)| *other == path).map(|(method, ..)| method).collect();
            for method in METHODS {
                let nothing = "00000000-0000-4000-8000-000000000000";
                let url = path.replace("{sid}", nothing).replace("{id}", nothing);
                // Without a token nothing happens; whether it is there is seen all the same.
                let answer = ann.send(ann.request(method.clone(), &url)).await;
                assert_eq!(answer.status == 405, !described.contains(&method), "{method} {path}: {answer:#?}");
                assert_ne!(answer.json_code(), Some("not_found".to_owned()), "{method} {path}");
            }
        }
    }
}

impl Answer {
    /// The code, if it is a problem.
    fn json_code(&self) -> Option<String> {
        (self.header("content-type") == "application/problem+json")
            .then(|| self.json()["code"].as_str().unwrap().to_owned())
    }
}

#[test]
fn bodies_have_the_members_that_are_described_and_no_others() {
    with_config(Store::Embedded, "", |app| async move {
        let ann = app.sign_up("ann").await;
        let mut checked = Vec::new();
        for (method, path, operation) in operations() {
            let at = (&method, path);
            let Some(schema) = body_schema(operation) else {
                continue;
            };
            let described = schema["properties"].as_object().unwrap();
            assert!(!described.is_empty(), "{method} {path}: no members");
            checked.push((method.clone(), path));
            // All of them with a type that none has, and one more: each is known but that one.
            let mut body: Value = described
                .keys()
                .map(|name| (name.clone(), json!(17)))
                .collect();
            body["nickname"] = json!("Ann");
            let answer = send(&ann, at, &body)
                .await
                .expect_problem(422, "invalid_fields");
            let mut found = field_errors(&answer);
            found.sort();
            let code_or_secret = described.contains_key("secret");
            let wrong = |name: &String| {
                let code = match name.as_str() {
                    "scope" => "invalid_choice",
                    "code" if code_or_secret => "unknown_field",
                    _ => "wrong_type",
                };
                format!("{name}: {code}")
            };
            let mut expected: Vec<String> = described.keys().map(wrong).collect();
            expected.push("nickname: unknown_field".to_owned());
            expected.sort();
            assert_eq!(found, expected, "{method} {path}");

            // Those that are required are missed, and no others.
            let required: Vec<&str> = schema["required"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|name| name.as_str().unwrap())
                .collect();
            let answer = send(&ann, at, &json!({ "nickname": "Ann" })).await;
            let mut found = field_errors(&answer);
            found.retain(|error| error.ends_with(": missing"));
            found.sort();
            let mut expected: Vec<String> = required
                .iter()
                .copied()
                .chain(first_of_several(path, described))
                .map(|name| format!("{name}: missing"))
                .collect();
            expected.sort();
            assert_eq!(found, expected, "{method} {path}");

            for (name, member) in described {
                // `nickname` keeps the request from being carried out.
                let mut body: Value = required
                    .iter()
                    .map(|name| ((*name).to_owned(), valid(name)))
                    .collect();
                body["nickname"] = json!("Ann");
                let mut errors = async |value: Value| {
                    body[name] = value;
                    let mut errors = field_errors(&send(&ann, at, &body).await.expect(422));
                    errors.retain(|error| error.starts_with(&format!("{name}: ")));
                    errors
                };
                let fine: [String; 0] = [];
                assert_eq!(errors(valid(name)).await, fine, "{method} {path}");
                let nullable = member["type"] == json!(["string", "null"]);
                assert_eq!(
                    errors(Value::Null).await.is_empty(),
                    nullable,
                    "{method} {path}: {name}: null"
                );
                if let Some(longest) = member["maxLength"].as_u64() {
                    let longest = usize::try_from(longest).unwrap();
                    let filled = |length: usize| match name.as_str() {
                        "email" => {
                            format!("{}@{}.example.org", "a".repeat(60), "b".repeat(length - 73))
                        }
                        "website" | "imageUrl" => {
                            format!("https://example.org/{}", "a".repeat(length - 20))
                        }
                        _ => "a".repeat(length),
                    };
                    assert_eq!(
                        errors(filled(longest + 1).into()).await,
                        [format!("{name}: {}", of_another_form(name, "too_long"))],
                        "{method} {path}"
                    );
                    let has_form = of_another_form(name, "too_long") != "too_long";
                    if name != "email" && !has_form {
                        assert_eq!(
                            errors(filled(longest).into()).await,
                            fine,
                            "{method} {path}"
                        );
                    }
                }
                if let Some(shortest) = member["minLength"].as_u64() {
                    let shortest = usize::try_from(shortest).unwrap();
                    assert_eq!(
                        errors("a".repeat(shortest - 1).into()).await,
                        [format!("{name}: {}", of_another_form(name, "too_short"))],
                        "{method} {path}"
                    );
                }
                for word in member["enum"].as_array().into_iter().flatten() {
                    assert_eq!(errors(word.clone()).await, fine, "{method} {path}");
                }
            }
        }
        assert_eq!(checked, operations_with_body());
    });
}

/// Whether an example leaves out the password where a reauthentication stands in for it.
fn needs_the_password(body: &Value, operation: &Value) -> bool {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    body.get("currentPassword").is_none()
        && parameters.any(|parameter| parameter["name"] == "Revolve-Reauthentication")
}

#[test]
fn examples_of_bodies_are_carried_out() {
    with_config(
        Store::Embedded,
        "accounts.sign_in_code = true",
        |app| async move {
            let (mut carried_out, mut sent) = (Vec::new(), 0);
            for (method, path, described) in operations() {
                for example in body_examples(described) {
                    sent += 1;
                    let name = format!("ann{sent}");
                    let ann = app.sign_up(&name).await;
                    let mut body = example.clone();
                    if body.get("email").is_some() && !path.ends_with("/signin") {
                        body["email"] = format!("new-{name}@example.org").into();
                    } else if path.ends_with("/signin") {
                        body["email"] = format!("{name}@example.org").into();
                    } else if path.ends_with("/tokens") {
                        body["refreshToken"] = ann.refresh_token.clone().into();
                    }
                    let operation = path.strip_prefix(BASE).expect("an operation of accounts");
                    let answer = if needs_the_password(&body, described) {
                        let shown = ann.reauthenticate().await;
                        ann.call_with(method.clone(), operation, Some(body.clone()), &shown)
                            .await
                    } else {
                        send(&ann, (&method, path), &body).await
                    };
                    let is_there = |name: &str| !body[name].is_null();
                    let expected = match operation {
                        // Nobody has set up an app or a passkey.
                        "/factors/totp/confirm" => 410,
                        "/reauthenticate" if is_there("totp") => 422,
                        "/passkeys/{id}" => 404,
                        // The proof of an example is nobody's, and so is its challenge.
                        _ if ["proof", "challenge", "passkey"].into_iter().any(is_there) => 410,
                        _ => 299,
                    };
                    let done = answer.status < 300 || answer.status == expected;
                    assert!(done, "{method} {path}: {body}: {answer:#?}");
                    carried_out.push((method.clone(), path));
                }
            }
            carried_out.dedup();
            assert_eq!(carried_out, operations_with_body());
        },
    );
}
