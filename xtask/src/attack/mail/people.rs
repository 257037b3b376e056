//! People and the clients that they use.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, Result, ensure};
use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::{Value, json};

use super::{mailroom::Letters, received::Mail};
pub(super) use crate::attack::client::{Client, api};
use crate::harness::http::{HttpClient, Response};

pub(super) const PASSWORD: &str = "correct horse battery";
pub(super) const NEW_PASSWORD: &str = "a password that she remembers";

/// Whose network a request comes from: a /64 each, which is one address to the limits.
#[derive(Clone, Copy)]
pub(super) enum Network {
    Home = 1,
    /// The same person's, with another client.
    Elsewhere = 2,
    Robot = 3,
    Guesser = 4,
}

impl Network {
    /// An address of the network of this number.
    pub(super) fn address(self, number: usize) -> String {
        format!("2001:db8:{:x}:{:x}::1", self as u16, number % 0x1_0000)
    }
}

/// What all rounds share.
pub(super) struct World {
    pub(super) http: HttpClient,
    /// The replica where a sign-up has to prove its mailbox, and where all others finish.
    pub(super) required: String,
    /// The replica where it may.
    pub(super) optional: String,
    pub(super) letters: Letters,
    /// Proofs whose mails have to arrive.
    asked: Mutex<BTreeSet<String>>,
    /// Sessions that nobody of ours has begun.
    pub(super) foreign_sessions: AtomicU64,
}

/// A mail is under way.
pub(super) struct Asked {
    pub(super) proof: String,
    /// The client that asked, with the cookie that it got.
    pub(super) by: Client,
}

impl World {
    pub(super) fn new(required: &str, optional: &str, letters: Letters) -> Result<Self> {
        Ok(Self {
            http: HttpClient::new()?,
            required: required.to_owned(),
            optional: optional.to_owned(),
            letters,
            asked: Mutex::default(),
            foreign_sessions: AtomicU64::new(0),
        })
    }

    /// The mail of this proof has to arrive.
    pub(super) fn expect(&self, proof: &str) {
        self.lock().insert(proof.to_owned());
    }

    pub(super) fn asked(&self) -> BTreeSet<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The mail of a proof, once the robot has worked it.
    pub(super) async fn mail(&self, proof: &str) -> Result<Mail> {
        let is_of = |mail: &Mail| mail.proof().is_some_and(|found| found.id == proof);
        self.letters.wait_for(is_of).await
    }

    /// Sends a request that has to be answered like this.
    pub(super) async fn call(
        &self,
        client: &Client,
        (method, url): (&str, String),
        body: Option<&Value>,
        status: u16,
    ) -> Result<(HeaderMap, Response)> {
        let request = client.request(method, &url, body)?;
        let (headers, response) = self.http.send_for_headers(&request).await?;
        ensure!(
            response.status == status,
            "{method} {} was answered {} {}",
            request.url.path(),
            response.status,
            response.code()
        );
        Ok((headers, response))
    }

    /// Asks for a mail, which has to arrive.
    pub(super) async fn ask(
        &self,
        client: &Client,
        (method, url): (&str, String),
        body: Option<&Value>,
    ) -> Result<Asked> {
        let (headers, response) = self.call(client, (method, url), body, 202).await?;
        let proof = response.text("/proof/id")?;
        self.expect(&proof);
        Ok(Asked {
            proof,
            by: Client {
                cookie: proof_cookie(&headers),
                ..client.clone()
            },
        })
    }

    /// The account as the client sees it.
    pub(super) async fn account(&self, client: &Client) -> Result<Value> {
        let me = ("GET", api(&self.required, "/me"));
        let (_, response) = self.call(client, me, None, 200).await?;
        let account = response.json()?;
        Ok(account["user"].clone())
    }

    /// Counts sessions of the account beyond those that its owner has begun.
    pub(super) async fn look_for_sessions(&self, client: &Client, own: usize) -> Result<()> {
        let sessions = ("GET", api(&self.required, "/sessions"));
        let (_, response) = self.call(client, sessions, None, 200).await?;
        let listed = response.json()?["sessions"].as_array().map_or(0, Vec::len);
        ensure!(listed >= own, "{listed} sessions live, and not {own}");
        let foreign = u64::try_from(listed - own)?;
        self.foreign_sessions.fetch_add(foreign, Ordering::Relaxed);
        Ok(())
    }
}

impl Asked {
    /// What the mail says as its reader confirms it: its code from a client that has not asked.
    pub(super) fn by_code(&self, mail: &Mail) -> Result<Value> {
        let code = mail.code.as_deref().context("the mail has no code")?;
        Ok(json!({ "proof": self.proof, "code": code }))
    }

    /// The secret of its link, for the client that has asked.
    pub(super) fn by_link(&self, mail: &Mail) -> Result<Value> {
        let link = mail.proof().context("the mail has no link")?;
        Ok(json!({ "proof": self.proof, "secret": link.secret }))
    }
}

/// The cookie of the browser that asked, as it sends it back.
pub(super) fn proof_cookie(headers: &HeaderMap) -> Option<String> {
    let mut set = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok()?.split(';').next());
    set.find(|pair| pair.contains("revolve-proof"))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    #[test]
    fn networks_are_apart() {
        assert_eq!(Network::Home.address(255), "2001:db8:1:ff::1");
        assert_ne!(Network::Robot.address(1), Network::Guesser.address(1));
    }

    #[test]
    fn the_cookie_of_who_asked_is_sent_back_without_its_attributes() {
        let mut headers = HeaderMap::new();
        for cookie in ["revolve-device-x=a; Path=/", "revolve-proof-x=b; Path=/"] {
            headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
        }
        assert_eq!(proof_cookie(&headers).as_deref(), Some("revolve-proof-x=b"));
    }
}
