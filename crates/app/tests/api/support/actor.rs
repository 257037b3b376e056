//! A user of the API, with what their client keeps.

use super::{
    described::{self, Sent},
    path,
};
use reqwest::{Client, Method, Request, RequestBuilder, Response, header::HeaderMap};
use serde_json::{Value, json};

/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A user with a client.
#[derive(Clone)]
pub(crate) struct Actor {
    client: Client,
    base: String,
    pub(crate) id_token: String,
    pub(crate) refresh_token: String,
    /// What `device.credential` said; shown by the methods that say so, and by every call once a session is bound.
    pub(crate) credential: Option<String>,
    is_bound: bool,
    pub(crate) session: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// Fails with the whole answer unless it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        self
    }

    /// Fails unless it is a problem document with this status and code.
    #[track_caller]
    pub(crate) fn expect_problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{self:#?}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json = self.json();
        assert_eq!(
            (json["code"].as_str(), json["status"].as_u64()),
            (Some(code), Some(u64::from(status))),
            "{self:#?}"
        );
        assert!(
            json["title"].is_string() && json["detail"].is_string() && json["type"].is_string(),
            "{self:#?}"
        );
        if status == 401 {
            assert!(
                self.header("www-authenticate").starts_with("Bearer "),
                "{self:#?}"
            );
        }
        if status == 503 || status == 429 {
            assert!(
                self.header("retry-after").parse::<u32>().is_ok(),
                "{self:#?}"
            );
        }
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {self:#?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("headers are text"))
    }
}

/// `field: code` of each field error.
pub(crate) fn field_errors(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let errors = json["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| {
            format!(
                "{}: {}",
                error["field"].as_str().unwrap(),
                error["code"].as_str().unwrap()
            )
        })
        .collect()
}

impl Actor {
    pub(crate) fn new(client: Client, base: String) -> Self {
        Self {
            client,
            base,
            id_token: String::new(),
            refresh_token: String::new(),
            credential: None,
            is_bound: false,
            session: String::new(),
        }
    }

    /// The same client at another replica.
    pub(crate) fn at(&self, other: &Self) -> Self {
        Self {
            base: other.base.clone(),
            ..self.clone()
        }
    }

    /// Whoever has copied the tokens and not the device.
    pub(crate) fn without_device(&self) -> Self {
        Self {
            is_bound: false,
            ..self.clone()
        }
    }

    /// The same client with another token in place of its ID token.
    pub(crate) fn with_id_token(&self, token: &str) -> Self {
        Self {
            id_token: token.to_owned(),
            ..self.clone()
        }
    }

    /// A request to any path.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Sends any request. Request and answer are held to the OpenAPI document.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let request = request.build().expect("the request is sound");
        let sent = Sent::from(&request);
        let response = self.execute(request).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let answer = Answer {
            status,
            headers,
            text: response.text().await.expect("the answer is text"),
        };
        described::check(&sent, &answer);
        answer
    }

    pub(super) async fn execute(&self, request: Request) -> Response {
        self.client
            .execute(request)
            .await
            .expect("the service answers")
    }

    pub(crate) async fn post(&self, operation: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, &path(operation)).json(&body))
            .await
    }

    /// With the ID token.
    pub(crate) async fn call(
        &self,
        method: Method,
        operation: &str,
        body: Option<Value>,
    ) -> Answer {
        self.send(self.calling(method, operation, body)).await
    }

    /// With the ID token and a reauthentication.
    pub(crate) async fn call_with(
        &self,
        method: Method,
        operation: &str,
        body: Option<Value>,
        reauthentication: &str,
    ) -> Answer {
        let request = self.calling(method, operation, body);
        self.send(request.header("Revolve-Reauthentication", reauthentication))
            .await
    }

    fn calling(&self, method: Method, operation: &str, body: Option<Value>) -> RequestBuilder {
        let mut request = self
            .request(method, &path(operation))
            .bearer_auth(&self.id_token);
        if self.is_bound {
            request = self.showing(request);
        }
        match body {
            Some(body) => request.json(&body),
            None => request,
        }
    }

    /// Shows the password, for the token that is answered.
    pub(crate) async fn reauthenticate(&self) -> String {
        self.reauthenticate_with(PASSWORD).await
    }

    pub(crate) async fn reauthenticate_with(&self, password: &str) -> String {
        let body = json!({ "currentPassword": password });
        let answer = self.call(Method::POST, "/reauthenticate", Some(body)).await;
        let json = answer.expect(200).json();
        json["reauthentication"]
            .as_str()
            .expect("a text")
            .to_owned()
    }

    /// Deletes the account.
    pub(crate) async fn delete_with(&self, reauthentication: &str) -> Answer {
        self.call_with(Method::DELETE, "/me", None, reauthentication)
            .await
    }

    /// Shows the password and deletes the account.
    pub(crate) async fn delete_account(&self) -> Answer {
        self.delete_with(&self.reauthenticate().await).await
    }

    pub(crate) async fn get(&self, operation: &str) -> Answer {
        self.call(Method::GET, operation, None).await
    }

    pub(crate) async fn put(&self, operation: &str, body: Value) -> Answer {
        self.call(Method::PUT, operation, Some(body)).await
    }

    pub(crate) async fn delete(&self, operation: &str) -> Answer {
        self.call(Method::DELETE, operation, None).await
    }

    pub(crate) async fn sign_up(&mut self, email: &str) -> Answer {
        let answer = self
            .post("/signup", json!({ "email": email, "password": PASSWORD }))
            .await;
        self.keep(answer)
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        self.is_bound = false;
        let answer = self
            .post("/signin", json!({ "email": email, "password": password }))
            .await;
        self.keep(answer)
    }

    /// Signs in by the code of a mail; no device credential is shown.
    pub(crate) async fn sign_in_by_code(&mut self, proof: Value) -> Answer {
        self.is_bound = false;
        let answer = self.post("/signin/code/confirm", proof).await;
        self.keep(answer)
    }

    /// Signs in again and shows the device credential.
    pub(crate) async fn sign_in_again(&mut self, email: &str) -> Answer {
        let request = self
            .request(Method::POST, &path("/signin"))
            .json(&json!({ "email": email, "password": PASSWORD }));
        let answer = self.send(self.showing(request)).await;
        self.is_bound |= answer.status == 200;
        self.keep(answer)
    }

    /// Refreshes and keeps the new tokens; the device credential is not shown.
    pub(crate) async fn refresh(&mut self) -> Answer {
        let answer = self.refresh_with(&self.refresh_token).await;
        self.keep(answer)
    }

    /// Refreshes with the device credential and keeps the new tokens.
    pub(crate) async fn refresh_bound(&mut self) -> Answer {
        let request = self
            .request(Method::POST, &path("/tokens"))
            .json(&json!({ "refreshToken": self.refresh_token }));
        let answer = self.send(self.showing(request)).await;
        self.is_bound |= answer.status == 200;
        self.keep(answer)
    }

    /// Refreshes with any token and keeps nothing.
    pub(crate) async fn refresh_with(&self, token: &str) -> Answer {
        self.post("/tokens", json!({ "refreshToken": token })).await
    }

    pub(crate) async fn sign_out(&self, scope: &str) -> Answer {
        self.call(Method::POST, "/signout", Some(json!({ "scope": scope })))
            .await
    }

    /// The request with the device credential.
    pub(crate) fn showing(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.credential {
            Some(credential) => request.header("Revolve-Device", credential),
            None => request,
        }
    }

    /// The same client with the tokens and the device of an answer.
    pub(crate) fn kept(&self, answer: Answer) -> Self {
        let mut other = self.without_device();
        other.keep(answer);
        other
    }

    /// Keeps the session of an answer, if one has begun. The device credential is not shown from then on.
    pub(crate) fn keep_begun(&mut self, answer: Answer) -> Answer {
        if matches!(answer.status, 200 | 201) {
            self.is_bound = false;
        }
        self.keep(answer)
    }

    fn keep(&mut self, answer: Answer) -> Answer {
        if matches!(answer.status, 200 | 201) {
            let json = answer.json();
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            self.id_token = text(&json["tokens"]["idToken"]);
            self.refresh_token = text(&json["tokens"]["refreshToken"]);
            self.session = text(&json["session"]["id"]);
            if let Some(credential) = json["device"]["credential"].as_str() {
                self.credential = Some(credential.to_owned());
            }
        }
        answer
    }

    /// The header of a token.
    pub(crate) fn header(token: &str) -> Value {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let header = token.split('.').next().expect("a token has three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).expect("base64url")).expect("JSON")
    }

    /// The claims of a token, unverified.
    pub(crate) fn claims(token: &str) -> Value {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let payload = token.split('.').nth(1).expect("a token has three parts");
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
    }
}
