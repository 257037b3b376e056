//! The admin API, with secrets where they belong and everywhere else.

use super::{journey::Journey, service::fresh};
use reqwest::{Method, RequestBuilder};
use serde_json::json;

/// Below the base of the admin API.
const ADMIN_ENDPOINTS: [(&str, &str); 8] = [
    ("GET", "/users"),
    ("POST", "/users"),
    ("GET", "/users/0190163d-8694-739b-aea5-966c26f8ad91"),
    ("PATCH", "/users/0190163d-8694-739b-aea5-966c26f8ad91"),
    (
        "POST",
        "/users/0190163d-8694-739b-aea5-966c26f8ad91/recovery-link",
    ),
    (
        "GET",
        "/users/0190163d-8694-739b-aea5-966c26f8ad91/sessions",
    ),
    ("GET", "/events"),
    ("GET", "/deliveries"),
];

impl Journey {
    /// A request to the admin API.
    pub(super) fn as_operator(&self, method: &str, operation: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client
            .request(method, format!("{}{operation}", self.admin))
    }

    /// What a program of an operator does with accounts, and what is refused with everything in its place.
    pub(super) async fn by_an_operator(&mut self) {
        let email = format!("{}@example.org", fresh("ada"));
        let (password, name) = (fresh("password"), fresh("request"));
        self.secrets.add("e-mail", &email);
        self.secrets.add("password", &password);
        self.secrets.add("name of a request", &name);
        let key = self.key.clone();
        let call = |journey: &Self, method: &str, operation: &str| {
            journey.as_operator(method, operation).bearer_auth(&key)
        };
        let body = json!({ "email": email, "password": password });
        for _ in 0..2 {
            let create = call(self, "POST", "/users").header("Idempotency-Key", &name);
            self.expect(201, create.json(&body)).await;
        }
        let other = json!({ "email": email, "password": self.password });
        let reused = call(self, "POST", "/users").header("Idempotency-Key", &name);
        self.expect(422, reused.json(&other)).await;
        self.expect(409, call(self, "POST", "/users").json(&other))
            .await;
        let encoded: String = url::form_urlencoded::byte_serialize(email.as_bytes()).collect();
        let found = call(self, "GET", &format!("/users?email={encoded}"));
        let uid = self.expect(200, found).await["users"][0]["uid"].clone();
        let path = format!("/users/{}", uid.as_str().unwrap());
        let listed = call(self, "GET", &format!("/users?prefix={encoded}"));
        self.expect(200, listed).await;
        let changed =
            call(self, "PATCH", &path).json(&json!({ "name": "Ada", "roles": ["editor"] }));
        self.expect(200, changed).await;
        let link = call(self, "POST", &format!("{path}/recovery-link"));
        let link = self.expect(201, link).await["link"].clone();
        let (_, secret) = link.as_str().unwrap().split_once("secret=").unwrap();
        self.secrets.add("secret of a link", secret);
        self.expect(200, call(self, "GET", "/events")).await;
        self.expect(200, call(self, "GET", &format!("{path}/sessions")))
            .await;
        for secret in self.all() {
            let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            let quoted = serde_json::to_string(&secret).unwrap();
            for (method, operation) in ADMIN_ENDPOINTS {
                let asked = format!(
                    "{operation}?prefix={encoded}&role={encoded}&after={encoded}&name={encoded}"
                );
                self.send(self.as_operator(method, &asked).bearer_auth(&secret))
                    .await;
                let request = call(self, method, &asked)
                    .header("Idempotency-Key", &secret)
                    .header("If-Match", &secret);
                let body = format!(
                    "{{\"password\":[{quoted}],\"name\":{quoted},\"roles\":[{quoted}],\"app\":{{\"a\":{quoted}}},\"uid\":{quoted}}}"
                );
                let request = request.header("content-type", "application/json");
                let (status, json) = self.send(request.body(body)).await;
                assert!(status < 500, "{operation}: {status} {json}");
            }
            let path = format!("/users/{encoded}");
            self.send(call(self, "GET", &path)).await;
        }
    }
}
