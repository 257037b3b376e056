//! Every endpoint, with secrets where they belong; `cookie` has them in a browser's jar, `misplaced` everywhere else.

mod cookie;
mod factors;
mod misplaced;
mod pages;

use super::{
    forms::{KnownSecrets, Sink},
    service::{CanaryService, fresh},
};
use crate::support::path;
use futures_util::future::join_all;
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const ENDPOINTS: [(&str, &str); 35] = [
    ("POST", "/api/account/signup"),
    ("POST", "/api/account/signin"),
    ("POST", "/api/account/signin/code"),
    ("POST", "/api/account/signin/code/confirm"),
    ("POST", "/api/account/signin/factor"),
    ("POST", "/api/account/signin/passkey"),
    ("POST", "/api/account/passkeys"),
    ("POST", "/api/account/factors/totp/confirm"),
    ("POST", "/api/account/tokens"),
    ("POST", "/api/account/signout"),
    ("GET", "/api/account/me"),
    ("DELETE", "/api/account/me"),
    ("PUT", "/api/account/details"),
    ("PUT", "/api/account/password"),
    ("POST", "/api/account/reauthenticate"),
    ("GET", "/api/account/export"),
    ("GET", "/api/account/activity"),
    ("GET", "/api/account/sessions"),
    (
        "DELETE",
        "/api/account/sessions/0190163d-8694-739b-aea5-966c26f8ad91",
    ),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/.well-known/openid-configuration"),
    ("GET", "/.well-known/oauth-authorization-server"),
    ("POST", "/oauth/token"),
    ("POST", "/oauth/revoke"),
    ("POST", "/oauth/introspect"),
    ("GET", "/userinfo"),
    ("POST", "/userinfo"),
    ("GET", "/.well-known/revocations"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/account/recovery"),
    ("POST", "/account/recovery"),
    ("GET", "/account/style.css"),
    ("GET", "/"),
    ("POST", "/nothing"),
];

/// The id of no proof.
const NO_PROOF: &str = "5d0a5cc3-7a8e-4f5b-9f2b-2f6f8f0f6d51";

/// Somebody with secrets, and what the service told them when it refused something.
pub(super) struct Journey {
    pub(super) client: Client,
    url: String,
    pub(super) admin: String,
    pub(super) key: String,
    pub(super) secrets: KnownSecrets,
    pub(super) refusals: Vec<Sink>,
    email: String,
    pub(super) password: String,
    pub(super) id_token: String,
    pub(super) refresh_token: String,
    pub(super) credential: String,
    /// With its name; empty if there is none.
    pub(super) token_cookie: String,
    /// How many requests were answered.
    pub(super) answers: usize,
}

impl Journey {
    pub(super) fn begin(service: &CanaryService) -> Self {
        let mut secrets = service.secrets.clone();
        let (email, password) = (format!("{}@example.org", fresh("ann")), fresh("password"));
        secrets.add("e-mail", &email);
        secrets.add("password", &password);
        let client = Client::builder().no_proxy().redirect(Policy::none());
        let client = client.build().unwrap();
        let (id_token, refresh_token, credential, token_cookie) = Default::default();
        let url = service.url.clone();
        Self {
            client,
            url,
            admin: service.admin.clone(),
            key: service.key.clone(),
            secrets,
            refusals: Vec::new(),
            email,
            password,
            id_token,
            refresh_token,
            credential,
            token_cookie,
            answers: 0,
        }
    }

    pub(super) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(
            Method::from_bytes(method.as_bytes()).unwrap(),
            format!("{}{path}", self.url),
        )
    }

    fn call(&self, method: &str, operation: &str) -> RequestBuilder {
        self.call_at(method, &path(operation))
    }

    /// The same at a path outside of the base.
    pub(super) fn call_at(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, path)
            .bearer_auth(&self.id_token)
            .header("Revolve-Device", &self.credential)
    }

    /// Sends, and remembers the secrets of the answer.
    pub(super) async fn send(&mut self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await;
        self.take(answer).await
    }

    async fn take(&mut self, answer: reqwest::Result<Response>) -> (u16, Value) {
        // Some are not even HTTP as it should be: then the connection may be cut.
        let Ok(response) = answer else {
            return (0, Value::Null);
        };
        self.answers += 1;
        let status = response.status().as_u16();
        for cookie in response.headers().get_all("set-cookie") {
            let (name, value) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = value.split(';').next().unwrap();
            match name {
                _ if value.is_empty() => self.token_cookie.clear(),
                name if name.contains("revolve-refresh") => {
                    self.secrets.add_token("refresh token", value);
                    self.token_cookie = format!("{name}={value}");
                }
                name if name.contains("revolve-id") => self.secrets.add_token("ID token", value),
                // It says that a session of pages is over, and nothing else.
                name if name.contains("revolve-over") => assert_eq!(value, "1"),
                _ => self.secrets.add("device credential", value),
            }
        }
        let text = response.text().await.unwrap_or_default();
        let json: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
        if status >= 400 {
            self.refusals
                .push(Sink::new(format!("a problem document ({status})"), text));
            return (status, json);
        }
        let mut keep = |kind: &str, value: &Value, place: &mut String| {
            if let Some(value) = value.as_str() {
                if kind.ends_with("token") {
                    self.secrets.add_token(kind, value);
                } else {
                    self.secrets.add(kind, value);
                }
                value.clone_into(place);
            }
        };
        for id_token in [&json["tokens"]["idToken"], &json["access_token"]] {
            keep("ID token", id_token, &mut self.id_token);
        }
        for token in [&json["tokens"]["refreshToken"], &json["refresh_token"]] {
            keep("refresh token", token, &mut self.refresh_token);
        }
        keep(
            "device credential",
            &json["device"]["credential"],
            &mut self.credential,
        );
        (status, json)
    }

    pub(super) async fn expect(&mut self, status: u16, request: RequestBuilder) -> Value {
        let (got, json) = self.send(request).await;
        assert_eq!(got, status, "{json}");
        json
    }

    pub(super) async fn sign_in(&mut self) {
        let body =
            json!({ "email": self.email, "password": self.password, "deviceName": "a phone" });
        let request = self
            .request("POST", &path("/signin"))
            .json(&body)
            .header("Revolve-Device", &self.credential);
        self.expect(200, request).await;
    }

    /// All that goes well, and what is refused with everything in its place.
    pub(super) async fn as_intended(&mut self) {
        let wrong = fresh("wrong");
        self.secrets.add("wrong password", &wrong);
        let body = json!({ "email": self.email, "password": self.password });
        let sign_up = self.request("POST", &path("/signup")).json(&body);
        self.expect(201, sign_up).await;
        let again = self.request("POST", &path("/signup")).json(&body);
        self.expect(409, again).await;
        let refused = self
            .request("POST", &path("/signin"))
            .json(&json!({ "email": self.email, "password": wrong }));
        self.expect(401, refused).await;
        let parent = self.refresh_token.clone();
        let refresh = |journey: &Self, token: &str| {
            journey
                .request("POST", &path("/tokens"))
                .json(&json!({ "refreshToken": token }))
        };
        let first = refresh(self, &parent);
        self.expect(200, first).await;
        let bound =
            refresh(self, &parent).header("Cookie", format!("revolve-device={}", self.credential));
        self.expect(200, bound).await;
        let mismatch = refresh(self, &self.refresh_token).header("Revolve-Device", &wrong);
        self.expect(401, mismatch).await;
        let next = refresh(self, &self.refresh_token).header("Revolve-Device", &self.credential);
        self.expect(200, next).await;
        let reused = refresh(self, &parent).header("Revolve-Device", &self.credential);
        self.expect(401, reused).await;
        self.sign_in().await;
        // Only where mail is set up a code can be asked for.
        let asked = self
            .request("POST", &path("/signin/code"))
            .json(&json!({ "email": self.email }));
        let (status, asked) = self.send(asked).await;
        assert!(matches!(status, 202 | 409), "{status} {asked}");
        let proof = asked["proof"]["id"].as_str().unwrap_or(NO_PROOF);
        let guess = json!({ "proof": proof, "code": "000000", "deviceName": "a phone" });
        let guess = self
            .request("POST", &path("/signin/code/confirm"))
            .json(&guess);
        let (status, refused) = self.send(guess).await;
        // One in a million.
        assert!(matches!(status, 409 | 422), "{status} {refused}");
        self.expect(200, self.call("GET", "/me")).await;
        self.expect(200, self.call("GET", "/sessions")).await;
        let shown = |password: &str| json!({ "currentPassword": password });
        let (bad, good) = (shown(&wrong), shown(&self.password));
        self.expect(403, self.call("POST", "/reauthenticate").json(&bad))
            .await;
        let given = self
            .expect(200, self.call("POST", "/reauthenticate").json(&good))
            .await;
        let reauthentication = given["reauthentication"].as_str().unwrap().to_owned();
        self.secrets
            .add_token("reauthentication", &reauthentication);
        let unbound = self
            .request("GET", &path("/sessions"))
            .bearer_auth(&self.id_token);
        self.expect(401, unbound).await;
        let refused = self
            .call("DELETE", "/me")
            .header("Revolve-Reauthentication", format!("{reauthentication}A"));
        self.expect(403, refused).await;
        let email = format!("{}@example.org", fresh("bob"));
        self.secrets.add("e-mail", &email);
        let details = |password: &str| json!({ "email": email, "name": "Bob", "website": "https://example.org/", "currentPassword": password });
        let (bad, good) = (details(&wrong), details(&self.password));
        self.expect(403, self.call("PUT", "/details").json(&bad))
            .await;
        let renamed = self.call("PUT", "/details").json(&json!({ "name": "Bob" }));
        self.expect(
            200,
            renamed.header("Revolve-Reauthentication", &reauthentication),
        )
        .await;
        // Where mail is set up, the address has to be proved first.
        match self.send(self.call("PUT", "/details").json(&good)).await {
            (200, _) => self.email = email,
            (202, _) => {}
            (status, json) => panic!("{status} {json}"),
        }
        let new = fresh("new");
        self.secrets.add("new password", &new);
        let change = |current: &str| json!({ "currentPassword": current, "newPassword": new });
        let (bad, good) = (change(&wrong), change(&self.password));
        self.expect(403, self.call("PUT", "/password").json(&bad))
            .await;
        self.expect(204, self.call("PUT", "/password").json(&good))
            .await;
        self.password = new;
        self.sign_in().await;
        self.expect(
            204,
            self.call("POST", "/signout")
                .json(&json!({ "scope": "others" })),
        )
        .await;
        self.expect(204, self.call("POST", "/signout")).await;
        self.expect(401, self.call("GET", "/me")).await;
        for path in [
            "/.well-known/jwks.json",
            "/.well-known/revocations",
            "/health/ready",
        ] {
            self.expect(200, self.request("GET", path)).await;
        }
        self.sign_in().await;
    }

    /// Everything in its place, while the stores fail.
    pub(super) async fn without_stores(&mut self) {
        let (email, password) = (format!("{}@example.org", fresh("eve")), fresh("password"));
        self.secrets.add("e-mail", &email);
        self.secrets.add("password", &password);
        let mut down = 0;
        let requests = [
            self.request("POST", &path("/signup"))
                .json(&json!({ "email": email, "password": password })),
            self.request("POST", &path("/signin"))
                .json(&json!({ "email": self.email, "password": self.password })),
            self.request("POST", &path("/signin/code"))
                .json(&json!({ "email": self.email })),
            self.request("POST", &path("/signin/code/confirm"))
                .json(&json!({ "proof": NO_PROOF, "code": "000000" })),
            self.request("POST", &path("/tokens"))
                .json(&json!({ "refreshToken": self.refresh_token })),
            self.in_cookie_mode("/tokens", "http://localhost:8080"),
            self.call("PUT", "/details")
                .json(&json!({ "name": "Eve", "email": email, "currentPassword": self.password })),
            self.call("PUT", "/password")
                .json(&json!({ "currentPassword": self.password, "newPassword": password })),
            self.call("POST", "/reauthenticate")
                .json(&json!({ "currentPassword": self.password })),
            self.call("POST", "/signout")
                .json(&json!({ "scope": "everywhere" })),
            self.call("GET", "/me"),
            self.call("GET", "/sessions"),
            self.call("DELETE", "/sessions/0190163d-8694-739b-aea5-966c26f8ad91"),
            self.call("DELETE", "/me"),
            self.request("GET", "/.well-known/revocations"),
            self.request("GET", "/health/ready"),
            self.as_operator("GET", "/users").bearer_auth(&self.key),
            self.as_operator("POST", "/users")
                .bearer_auth(&self.key)
                .json(&json!({ "email": email, "password": password })),
        ];
        // At once, since each may wait for as long as the stores are waited for.
        let requests = requests.into_iter().chain(self.by_oauth_without_stores());
        for answer in join_all(requests.map(RequestBuilder::send)).await {
            let (status, _) = self.take(answer).await;
            assert!(status < 500 || status == 503, "{status}");
            down += usize::from(status == 503);
        }
        assert!(down >= 5, "the stores did fail: {down}");
    }

    /// The end of it all.
    pub(super) async fn leave(&mut self) {
        for _ in 0..100 {
            if self.send(self.request("GET", "/health/ready")).await.0 == 200 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        self.sign_in().await;
        let shown = json!({ "currentPassword": self.password });
        let given = self
            .expect(200, self.call("POST", "/reauthenticate").json(&shown))
            .await;
        let reauthentication = given["reauthentication"].as_str().unwrap().to_owned();
        self.secrets
            .add_token("reauthentication", &reauthentication);
        let delete = self
            .call("DELETE", "/me")
            .header("Revolve-Reauthentication", &reauthentication);
        self.expect(204, delete).await;
        // Somebody stays, so that there is something in the stores.
        self.arrive().await;
    }

    /// Somebody new, with what has been this journey's password last.
    pub(super) async fn arrive(&mut self) {
        self.email = format!("{}@example.org", fresh("zoe"));
        self.secrets.add("e-mail", &self.email);
        let body = json!({ "email": self.email, "password": self.password });
        let sign_up = self.request("POST", &path("/signup")).json(&body);
        self.expect(201, sign_up).await;
    }

    /// One of each kind.
    pub(super) fn all(&self) -> Vec<String> {
        self.secrets.one_of_each()
    }
}
