//! A system that is measured: how it is started and asked, whoever made it.

use std::time::Instant;

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    bench::{start, testbed::MeasuredServer},
    harness::{
        http::HttpClient,
        interrupt::Interrupt,
        peer::{InstalledPeer, Peer},
        process,
        profile::{Answer, ServerProfile, Vars},
    },
};

const PASSWORD: &str = "correct horse battery";
const ALGORITHM: &str = "RS256";

/// A peer's name among the figures, and what is asked of it.
pub(super) struct PeerKind {
    pub(super) key: &'static str,
    /// Below `xtask/peers`.
    pub(super) folder: &'static str,
    pub(super) variables: &'static [(&'static str, &'static str)],
    /// The path that is asked for after the start; it needs no key.
    pub(super) first: &'static str,
    pub(super) store: &'static str,
}

pub(super) struct Contender {
    pub(super) key: String,
    /// For the table.
    pub(super) what: String,
    pub(super) profile: ServerProfile,
    /// Whether it uses Redis and Postgres.
    pub(super) has_stores: bool,
    /// Where an answer has the ID token.
    id_token: &'static str,
    server: Server,
    /// So many have signed up since the start.
    accounts: usize,
}

enum Server {
    Own(Box<MeasuredServer>),
    Peer(Box<PeerServer>),
}

struct PeerServer {
    kind: &'static PeerKind,
    installed: InstalledPeer,
    running: Option<Peer>,
}

impl PeerServer {
    fn running(&self) -> Result<&Peer> {
        self.running.as_ref().context("it does not run")
    }
}

impl Contender {
    pub(super) fn own(server: MeasuredServer, store: &str, has_stores: bool) -> Result<Self> {
        Ok(Self {
            key: server.name.clone(),
            what: format!("Revolve, {store}"),
            profile: ServerProfile::load(None)?,
            has_stores,
            id_token: "/tokens/idToken",
            server: Server::Own(Box::new(server)),
            accounts: 0,
        })
    }

    /// Installs a peer; it is not started yet.
    pub(super) async fn peer(kind: &'static PeerKind, interrupt: &Interrupt) -> Result<Self> {
        let installed = InstalledPeer::install(kind.folder, interrupt).await?;
        let profile = ServerProfile::load(Some(&installed.profile()))?;
        let node = process::output(Command::new("node").arg("--version")).await?;
        Ok(Self {
            key: kind.key.to_owned(),
            what: format!(
                "{}, {} (Node {})",
                profile.name,
                kind.store,
                node.trim_start_matches('v')
            ),
            profile,
            has_stores: false,
            id_token: "/id_token",
            server: Server::Peer(Box::new(PeerServer {
                kind,
                installed,
                running: None,
            })),
            accounts: 0,
        })
    }

    /// The name of a figure.
    pub(super) fn figure(&self, part: &str) -> String {
        format!("peers.{}.{part}", self.key)
    }

    pub(super) fn url(&self) -> Result<&str> {
        Ok(match &self.server {
            Server::Own(server) => server.instance.url(),
            Server::Peer(peer) => &peer.running()?.url,
        })
    }

    pub(super) fn pid(&self) -> Result<u32> {
        match &self.server {
            Server::Own(server) => server.pid(),
            Server::Peer(peer) => peer.running()?.pid(),
        }
    }

    /// Starts it; returns the milliseconds to its first answer.
    pub(super) async fn start(&mut self, interrupt: &Interrupt) -> Result<f64> {
        let server = match &mut self.server {
            Server::Own(server) => return start::first_answer(server).await,
            Server::Peer(server) => server,
        };
        let first = server.kind.first;
        let http = HttpClient::new()?;
        let begun = Instant::now();
        let variables = server.kind.variables;
        let peer = server.installed.start(variables, interrupt).await?;
        let response = http.get(&format!("{}{first}", peer.url)).await?;
        let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
        ensure!(
            response.is_success(),
            "{}: {first} was answered {}",
            self.what,
            response.status
        );
        server.running = Some(peer);
        Ok(milliseconds)
    }

    pub(super) async fn stop(&mut self) -> Result<()> {
        match &mut self.server {
            Server::Own(server) => server.instance.stop().await,
            Server::Peer(server) => match server.running.take() {
                Some(peer) => peer.stop().await,
                None => Ok(()),
            },
        }
    }

    /// Begins sessions, each of a new account; returns their refresh tokens.
    pub(super) async fn sign_up(&mut self, http: &HttpClient, count: usize) -> Result<Vec<String>> {
        let mut tokens = Vec::new();
        let sign_up = self.profile.sign_up.as_ref();
        let sign_up = sign_up.context("the profile has no sign_up")?;
        for _ in 0..count {
            let user = format!("person-{}@example.org", self.accounts);
            self.accounts += 1;
            let vars = Vars {
                user: Some(&user),
                password: Some(PASSWORD),
                ..Vars::default()
            };
            let request = self.profile.request(sign_up, self.url()?, &vars)?;
            let response = http.send(&request).await?;
            match self.profile.read(sign_up, &response, None) {
                Answer::Granted(grant) => tokens.push(grant.refresh),
                _ => bail!("{}: a sign-up was answered {}", self.what, response.status),
            }
        }
        Ok(tokens)
    }

    /// Refreshes once, and fails unless the answer has an ID token that is signed as it should be.
    pub(super) async fn check(&mut self, http: &HttpClient) -> Result<()> {
        let tokens = self.sign_up(http, 1).await?;
        let vars = Vars {
            refresh: tokens.first().map(String::as_str),
            ..Vars::default()
        };
        let refresh = self
            .profile
            .request(&self.profile.refresh, self.url()?, &vars)?;
        let token = http.send(&refresh).await?.text(self.id_token)?;
        let algorithm = algorithm(&token).context("this is no ID token")?;
        ensure!(
            algorithm == ALGORITHM,
            "{} signs with {algorithm}",
            self.what
        );
        Ok(())
    }
}

/// What a JWT says of its signature.
fn algorithm(token: &str) -> Option<String> {
    let (header, _) = token.split_once('.')?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    header.get("alg")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_how_it_is_signed() {
        // {"alg":"RS256","kid":"a"}
        let token = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.c2ln";
        assert_eq!(algorithm(token).as_deref(), Some("RS256"));
        assert_eq!(algorithm("opaque"), None);
        assert_eq!(algorithm("e30.e30.c2ln"), None);
    }
}
