//! A program of an operator, which calls the admin API with a key.

use super::{Actor, Answer, App, Running};
use reqwest::{Method, RequestBuilder};
use revolve::ADMIN_BASE;
use serde_json::Value;
use std::net::SocketAddr;

/// A program with an API key.
#[derive(Clone)]
pub(crate) struct Program {
    actor: Actor,
    pub(crate) key: String,
    pub(crate) id: String,
}

impl App {
    /// A program that may do anything.
    pub(crate) async fn program(&self) -> Program {
        let scopes =
            "users:read,users:write,sessions:write,events:read,deliveries:read,deliveries:write";
        self.program_with(scopes).await
    }

    /// A program whose key has these scopes.
    pub(crate) async fn program_with(&self, scopes: &str) -> Program {
        let arguments = [
            "api-keys",
            "create",
            "--name",
            "a program",
            "--scopes",
            scopes,
            "--json",
        ];
        let made = self.revolve(&arguments).await.expect(0).json();
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Program {
            actor: self.actor_at(&url(self.admin)),
            key: text("key"),
            id: text("id"),
        }
    }
}

impl Running {
    /// The same program at this replica.
    pub(crate) fn admin(&self, program: &Program) -> Program {
        let actor = Actor::new(self.client.clone(), url(self.admin));
        Program {
            actor,
            ..program.clone()
        }
    }
}

fn url(admin: Option<SocketAddr>) -> String {
    let address = admin.expect("the test configures http.admin_listen");
    format!("http://{address}")
}

impl Program {
    /// The same program with another text as its key.
    pub(crate) fn showing(&self, key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..self.clone()
        }
    }

    /// A request with the key to an operation.
    pub(crate) fn request(&self, method: Method, operation: &str) -> RequestBuilder {
        let request = self.bare(method, &format!("{ADMIN_BASE}{operation}"));
        request.bearer_auth(&self.key)
    }

    /// A request without a key to any path.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.actor.request(method, path)
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        self.actor.send(request).await
    }

    pub(crate) async fn get(&self, operation: &str) -> Answer {
        self.send(self.request(Method::GET, operation)).await
    }

    /// Without a body.
    pub(crate) async fn call(&self, method: Method, operation: &str) -> Answer {
        self.send(self.request(method, operation)).await
    }

    pub(crate) async fn post(&self, operation: &str, body: Value) -> Answer {
        self.send(self.request(Method::POST, operation).json(&body))
            .await
    }

    pub(crate) async fn patch(&self, operation: &str, body: Value) -> Answer {
        self.send(self.request(Method::PATCH, operation).json(&body))
            .await
    }

    /// The account of a name.
    pub(crate) async fn user(&self, name: &str) -> Value {
        let found = self
            .get(&format!("/users?email={name}%40example.org"))
            .await;
        let users = found.expect(200).json()["users"].clone();
        assert_eq!(users.as_array().map(Vec::len), Some(1), "{users}");
        users[0].clone()
    }

    /// The path of the account of a name.
    pub(crate) async fn path_of(&self, name: &str) -> String {
        let user = self.user(name).await;
        format!("/users/{}", user["uid"].as_str().expect("a text"))
    }
}
