//! `/oauth/…` and `/userinfo`: what OAuth clients and OpenID Connect libraries call.

mod bad_input;
mod introspect;
mod revoke;
mod token;
mod unavailable;
mod userinfo;

use crate::support::{Actor, Answer, described::FORM};
use reqwest::{Method, RequestBuilder, header::CONTENT_TYPE};
use serde_json::Value;
use url::form_urlencoded::Serializer;

const TOKEN: &str = "/oauth/token";
const REVOKE: &str = "/oauth/revoke";
const INTROSPECT: &str = "/oauth/introspect";
const USERINFO: &str = "/userinfo";

/// A form as clients send it.
fn form(actor: &Actor, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = Serializer::new(String::new()).extend_pairs(fields).finish();
    raw_form(actor, path, body)
}

/// The same with a body of its own.
fn raw_form(actor: &Actor, path: &str, body: impl Into<reqwest::Body>) -> RequestBuilder {
    let request = actor.request(Method::POST, path);
    request.header(CONTENT_TYPE, FORM).body(body)
}

/// A refresh with this token.
fn refresh_with(actor: &Actor, token: &str) -> RequestBuilder {
    let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
    form(actor, TOKEN, &fields)
}

async fn refresh(actor: &mut Actor) -> Answer {
    let answer = actor.send(refresh_with(actor, &actor.refresh_token)).await;
    keep(actor, &answer);
    answer
}

/// Refreshes with the device credential.
async fn refresh_bound(actor: &mut Actor) -> Answer {
    let credential = actor.credential.clone().expect("there is one");
    let request = refresh_with(actor, &actor.refresh_token);
    let answer = actor
        .send(request.header("Revolve-Device", credential))
        .await;
    keep(actor, &answer);
    answer
}

/// Uses the tokens of an answer from now on.
fn keep(actor: &mut Actor, answer: &Answer) {
    if answer.status == 200 {
        let json = answer.json();
        actor.id_token = text(&json["access_token"]);
        actor.refresh_token = text(&json["refresh_token"]);
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

impl Answer {
    /// Fails unless it is an error as OAuth clients read it (RFC 6749 §5.2), with our code.
    #[track_caller]
    fn expect_oauth(self, status: u16, error: &str, code: &str) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        assert_eq!(self.header("content-type"), "application/json", "{self:#?}");
        assert_eq!(self.header("cache-control"), "no-store", "{self:#?}");
        let json = self.json();
        assert_eq!(
            (json["error"].as_str(), json["code"].as_str()),
            (Some(error), Some(code)),
            "{self:#?}"
        );
        let description = json["error_description"].as_str().expect("a text");
        let is_allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        assert!(
            !description.is_empty() && description.chars().all(is_allowed),
            "{description}"
        );
        let challenges: Vec<_> = self.headers.get_all("www-authenticate").iter().collect();
        let expected = match status {
            401 => 2,
            403 => 1,
            _ => 0,
        };
        assert_eq!(challenges.len(), expected, "{self:#?}");
        if status == 503 || status == 429 {
            assert!(
                self.header("retry-after").parse::<u32>().is_ok(),
                "{self:#?}"
            );
        }
        self
    }
}
