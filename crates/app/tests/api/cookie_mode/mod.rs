//! Browsers that keep the refresh token in a cookie: `Revolve-Tokens: cookie`.

mod csrf;
mod factors;
mod proofs;
mod refusals;
mod sessions;

use crate::support::{Actor, Answer, PASSWORD, path};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The issuer's origin of the tests.
const OWN: &str = "http://localhost:8080";
const SHOP: &str = "https://shop.example.org";
const BLOG: &str = "https://blog.example.org";

/// How the names of the cookies begin where the issuer is not https.
const REFRESH: &str = "revolve-refresh-";

/// A browser with its cookies of the service's host, which all front ends of the site share.
#[derive(Clone, Default)]
struct Browser {
    cookies: BTreeMap<String, String>,
    /// Which cookie has the token of which front end.
    names: BTreeMap<&'static str, String>,
}

impl Browser {
    /// Sends what a script of a front end asks for, with the cookies of the host, and keeps those of the answer.
    async fn call(
        &mut self,
        actor: &Actor,
        origin: &'static str,
        operation: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = self.request(actor, origin, operation);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.send(actor, origin, request).await
    }

    /// A request as a front end's script makes it.
    fn request(&self, actor: &Actor, origin: &str, operation: &str) -> RequestBuilder {
        let site = if origin == OWN {
            "same-origin"
        } else {
            "same-site"
        };
        self.with_cookies(actor.request(Method::POST, &path(operation)))
            .header("Origin", origin)
            .header("Sec-Fetch-Site", site)
            .header("Revolve-Tokens", "cookie")
    }

    /// The request with the cookies.
    fn with_cookies(&self, request: RequestBuilder) -> RequestBuilder {
        if self.cookies.is_empty() {
            return request;
        }
        let pairs = self.cookies.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        request.header("Cookie", pairs.join("; "))
    }

    /// Sends it, and fails if a refresh token is in the answer, but for its cookies.
    async fn send(
        &mut self,
        actor: &Actor,
        origin: &'static str,
        request: RequestBuilder,
    ) -> Answer {
        let before = self.tokens();
        let answer = actor.send(request).await;
        self.keep(origin, &answer);
        for token in before.into_iter().chain(self.tokens()) {
            let signature = token.rsplit('.').next().expect("a token has parts");
            if signature.len() < 12 {
                continue;
            }
            assert!(!answer.text.contains(signature), "{answer:?}");
            let others = answer.headers.iter();
            for (name, value) in others.filter(|(name, _)| *name != "set-cookie") {
                let value = String::from_utf8_lossy(value.as_bytes());
                assert!(!value.contains(signature), "{name}: {answer:?}");
            }
        }
        answer
    }

    fn keep(&mut self, origin: &'static str, answer: &Answer) {
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("cookies are text");
            let (pair, attributes) = cookie.split_once("; ").expect("it has attributes");
            let (name, value) = pair.split_once('=').expect("it has a value");
            if attributes.ends_with("Max-Age=0") {
                assert_eq!(value, "", "{cookie}");
                self.cookies.remove(name).expect("it was there");
                continue;
            }
            self.cookies.insert(name.to_owned(), value.to_owned());
            if name.starts_with(REFRESH) {
                assert_eq!(
                    attributes, "HttpOnly; SameSite=Strict; Path=/; Max-Age=259200",
                    "{cookie}"
                );
                self.names.insert(origin, name.to_owned());
            }
        }
    }

    fn tokens(&self) -> Vec<String> {
        let cookies = self.cookies.iter();
        cookies
            .filter(|(name, _)| name.starts_with(REFRESH))
            .map(|(_, token)| token.clone())
            .collect()
    }

    /// The refresh token of a front end, if the browser has one.
    fn token(&self, origin: &str) -> Option<&String> {
        self.cookies.get(self.names.get(origin)?)
    }

    /// Puts another token in its place.
    fn plant(&mut self, origin: &str, token: &str) {
        let name = self.names[origin].clone();
        self.cookies.insert(name, token.to_owned());
    }

    /// The claims of the refresh token of a front end.
    fn claims(&self, origin: &str) -> Value {
        Actor::claims(self.token(origin).expect("it has a refresh token"))
    }

    async fn sign_up(&mut self, actor: &Actor, origin: &'static str, name: &str) -> String {
        let body = Some(who(name));
        let answer = self.call(actor, origin, "/signup", body).await;
        id_token(&answer.expect(201))
    }

    async fn sign_in(&mut self, actor: &Actor, origin: &'static str, name: &str) -> String {
        let body = Some(who(name));
        let answer = self.call(actor, origin, "/signin", body).await;
        id_token(&answer.expect(200))
    }

    async fn refresh(&mut self, actor: &Actor, origin: &'static str) -> Answer {
        self.call(actor, origin, "/tokens", None).await
    }

    /// Signs out with an ID token.
    async fn sign_out(
        &mut self,
        actor: &Actor,
        origin: &'static str,
        id_token: &str,
        scope: &str,
    ) -> Answer {
        let request = self
            .request(actor, origin, "/signout")
            .bearer_auth(id_token)
            .json(&json!({ "scope": scope }));
        self.send(actor, origin, request).await
    }
}

fn who(name: &str) -> Value {
    json!({ "email": format!("{name}@example.org"), "password": PASSWORD })
}

/// The ID token of an answer that has no other.
fn id_token(answer: &Answer) -> String {
    let json = answer.json();
    let tokens = &json["tokens"];
    assert_eq!(tokens.get("refreshToken"), None, "{answer:?}");
    assert!(tokens["refreshTokenExpiresAt"].is_string(), "{answer:?}");
    assert_eq!(json["device"].get("credential"), None, "{answer:?}");
    tokens["idToken"].as_str().expect("a text").to_owned()
}

/// Whose tokens they are.
async fn email_of(actor: &Actor, id_token: &str, browser: &Browser) -> String {
    let request = actor.request(Method::GET, &path("/me"));
    let request = browser.with_cookies(request).bearer_auth(id_token);
    let json = actor.send(request).await.expect(200).json();
    json["user"]["email"].as_str().expect("a text").to_owned()
}
