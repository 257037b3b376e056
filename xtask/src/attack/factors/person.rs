//! A person with factors, and what they do with a client.

use anyhow::{Context as _, Result, ensure};
use revolve_testkit::authenticator::VirtualAuthenticator;
use serde_json::{Value, json};

use super::app::TotpApp;
use crate::{
    attack::client::{Client, api},
    harness::http::{HttpClient, Response},
};

pub(super) const PASSWORD: &str = "correct horse battery";
/// That of the default issuer.
const ORIGIN: &str = "http://localhost:8080";

/// Whose network a request comes from: a /64 for each number, which is one address to the limits.
#[derive(Clone, Copy)]
pub(super) enum Network {
    Home = 1,
    /// The same person's, with another client.
    Elsewhere = 2,
    Guesser = 3,
}

impl Network {
    /// An address of the network of this number.
    pub(super) fn address(self, number: usize) -> String {
        let (high, low) = (number >> 16 & 0xfff, number & 0xffff);
        format!("2001:db8:{:x}{high:03x}:{low:x}::1", self as u16)
    }
}

/// A replica.
#[derive(Clone)]
pub(super) struct Replica {
    pub(super) http: HttpClient,
    pub(super) url: String,
}

/// Who has an account, with the client on which they are signed in.
pub(super) struct Person {
    pub(super) email: String,
    pub(super) client: Client,
    pub(super) app: TotpApp,
    pub(super) codes: Vec<String>,
    pub(super) key: VirtualAuthenticator,
}

/// A first step that is done: what the answer says, and the client with the device that it got.
#[derive(Clone)]
pub(super) struct FirstStep {
    pub(super) client: Client,
    pub(super) answer: Value,
}

/// A request that sets up a factor.
pub(super) struct SetUp {
    reauthentication: String,
    path: &'static str,
    body: Value,
}

impl Replica {
    /// Posts JSON, or nothing if that is null.
    pub(super) async fn post(&self, client: &Client, path: &str, body: &Value) -> Result<Response> {
        let body = (!body.is_null()).then_some(body);
        let request = client.request("POST", &api(&self.url, path), body)?;
        self.http.send(&request).await
    }

    /// The same where it has to be answered like this.
    async fn call(&self, client: &Client, path: &str, body: &Value, status: u16) -> Result<Value> {
        let response = self.post(client, path, body).await?;
        answered(&response, path, status)
    }

    /// What the person reads in their session.
    pub(super) async fn get(&self, person: &Person, path: &str) -> Result<Value> {
        let request = person.client.request("GET", &api(&self.url, path), None)?;
        answered(&self.http.send(&request).await?, path, 200)
    }

    /// Signs up, without a factor.
    pub(super) async fn sign_up(&self, email: String, address: String) -> Result<Person> {
        let client = Client::at(address);
        let body = json!({ "email": email, "password": PASSWORD });
        let answer = self.call(&client, "/signup", &body, 201).await?;
        Ok(Person {
            email,
            client: begun(&client, &answer)?,
            app: TotpApp::new("")?,
            codes: Vec::new(),
            key: VirtualAuthenticator::default(),
        })
    }

    /// Signs up and sets up an app.
    pub(super) async fn sign_up_with_app(&self, email: String, address: String) -> Result<Person> {
        let mut person = self.sign_up(email, address).await?;
        let set_up = self.app_set_up(&mut person).await?;
        let answer = self.finish(&person, &set_up).await?;
        ensure!(answer.is_success(), "no app: {}", answer.code());
        person.keep_codes(&answer)?;
        Ok(person)
    }

    /// The last request of setting up an app.
    pub(super) async fn app_set_up(&self, person: &mut Person) -> Result<SetUp> {
        let reauthentication = self.reauthenticate(person).await?;
        let begun = self.sensitive(person, "/factors/totp", &Value::Null, &reauthentication);
        person.app = TotpApp::new(&begun.await?.text("/secret")?)?;
        Ok(SetUp {
            reauthentication,
            path: "/factors/totp/confirm",
            body: json!({ "code": person.app.code()? }),
        })
    }

    /// The last request of registering a passkey.
    pub(super) async fn passkey_set_up(&self, person: &mut Person) -> Result<SetUp> {
        let reauthentication = self.reauthenticate(person).await?;
        let begun = self.sensitive(person, "/passkeys/options", &Value::Null, &reauthentication);
        let begun = begun.await?.json()?;
        let options = begun.get("publicKey").context("there are no options")?;
        let credential = person.key.create(options, ORIGIN);
        Ok(SetUp {
            reauthentication,
            path: "/passkeys",
            body: json!({ "challenge": begun["challenge"], "credential": credential }),
        })
    }

    pub(super) async fn finish(&self, person: &Person, set_up: &SetUp) -> Result<Response> {
        self.sensitive(person, set_up.path, &set_up.body, &set_up.reauthentication)
            .await
    }

    async fn reauthenticate(&self, person: &Person) -> Result<String> {
        let body = json!({ "currentPassword": PASSWORD });
        let shown = self.post(&person.client, "/reauthenticate", &body);
        shown.await?.text("/reauthentication")
    }

    async fn sensitive(
        &self,
        person: &Person,
        path: &str,
        body: &Value,
        reauthentication: &str,
    ) -> Result<Response> {
        let body = (!body.is_null()).then_some(body);
        let request = person.client.request("POST", &api(&self.url, path), body)?;
        let request = request.header("Revolve-Reauthentication", reauthentication);
        self.http.send(&request).await
    }

    /// Shows the password, which is not enough.
    pub(super) async fn first_step(&self, client: &Client, email: &str) -> Result<FirstStep> {
        let answer = self.show_password(client, email).await?;
        FirstStep::of(client, &answer)
    }

    /// What it is answered.
    pub(super) async fn show_password(&self, client: &Client, email: &str) -> Result<Response> {
        let body = json!({ "email": email, "password": PASSWORD });
        let client = Client {
            id_token: None,
            ..client.clone()
        };
        self.post(&client, "/signin", &body).await
    }

    /// Shows a factor: `member` is `totp`, `recoveryCode` or `credential`.
    pub(super) async fn second_step(
        &self,
        step: &FirstStep,
        member: &str,
        shown: &Value,
    ) -> Result<Response> {
        let body = json!({ "challenge": step.answer["challenge"], member: shown });
        self.post(&step.client, "/signin/factor", &body).await
    }

    /// Signs in with password and passkey on the person's own client.
    pub(super) async fn sign_in_at_home(&self, person: &mut Person) -> Result<()> {
        let step = self.first_step(&person.client, &person.email).await?;
        let shown = person.shown(&step.answer["publicKey"])?;
        let answer = self.second_step(&step, "credential", &shown).await?;
        person.begin(&step.client, &answer)
    }

    /// Signs in with the passkey alone, on a new client.
    pub(super) async fn sign_in_by_passkey(&self, person: &Person, address: String) -> Result<()> {
        let client = Client::at(address);
        let begun = self.call(&client, "/signin/passkey/options", &Value::Null, 200);
        let begun = begun.await?;
        let shown = person.shown(&begun["publicKey"])?;
        let body = json!({ "challenge": begun["challenge"], "credential": shown });
        let answer = self.call(&client, "/signin/passkey", &body, 200);
        answer.await.map(drop)
    }

    /// How many sessions of the person live.
    pub(super) async fn sessions(&self, person: &Person) -> Result<usize> {
        let listed = self.get(person, "/sessions").await?;
        Ok(listed["sessions"].as_array().map_or(0, Vec::len))
    }
}

impl FirstStep {
    /// The challenge of an answer to a client.
    pub(super) fn of(client: &Client, answer: &Response) -> Result<Self> {
        let answer = answered(answer, "/signin", 403)?;
        let mut client = Client {
            id_token: None,
            ..client.clone()
        };
        if let Some(device) = answer["device"]["credential"].as_str() {
            client.device = Some(device.to_owned());
        }
        Ok(Self { client, answer })
    }
}

impl Person {
    /// What the passkey answers to these options.
    fn shown(&self, options: &Value) -> Result<Value> {
        ensure!(options.is_object(), "no passkey is asked for");
        let shown = self.key.get(options, ORIGIN);
        shown.context("there is no passkey")
    }

    /// Goes on in the session that an answer begins.
    pub(super) fn begin(&mut self, client: &Client, answer: &Response) -> Result<()> {
        ensure!(answer.status == 200, "{} {}", answer.status, answer.code());
        self.client = begun(client, &answer.json()?)?;
        Ok(())
    }

    pub(super) fn keep_codes(&mut self, answer: &Response) -> Result<()> {
        let codes = answer.json()?["recoveryCodes"].clone();
        self.codes = serde_json::from_value(codes).context("there are no recovery codes")?;
        Ok(())
    }
}

fn answered(response: &Response, path: &str, status: u16) -> Result<Value> {
    ensure!(
        response.status == status,
        "{path} was answered {} {}",
        response.status,
        response.code()
    );
    response.json()
}

/// The client in the session that an answer begins.
fn begun(client: &Client, answer: &Value) -> Result<Client> {
    let text = |pointer| answer.pointer(pointer).and_then(Value::as_str);
    let token = text("/tokens/idToken").context("no session has begun")?;
    let device = text("/device/credential").map(str::to_owned);
    Ok(Client {
        device: device.or_else(|| client.device.clone()),
        id_token: Some(token.to_owned()),
        ..client.clone()
    })
}
