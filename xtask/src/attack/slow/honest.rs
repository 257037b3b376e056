//! Honest clients: each refreshes its token at a steady rate, over a connection that it keeps.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};

const CLIENTS: usize = 4;
/// Between two refreshes of one client.
const PACE: Duration = Duration::from_millis(40);

/// A few of them.
pub(super) struct Clients(Vec<One>);

struct One {
    http: Client,
    base: String,
    token: String,
}

impl Clients {
    pub(super) async fn sign_up(address: &str) -> Result<Self> {
        let all = (0..CLIENTS).map(|number| One::sign_up(address, number));
        Ok(Self(try_join_all(all).await?))
    }

    /// How long each refresh took, from when it was due.
    pub(super) async fn run(&mut self, time: Duration) -> Result<Vec<Duration>> {
        Ok(try_join_all(self.0.iter_mut().map(|one| one.run(time)))
            .await?
            .concat())
    }
}

impl One {
    async fn sign_up(address: &str, number: usize) -> Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        let mut one = Self {
            http,
            base: format!("http://{address}/api/account"),
            token: String::new(),
        };
        let account = json!({ "email": format!("honest-{number}@example.org"), "password": "correct horse battery" });
        one.ask("/signup", &account)
            .await
            .context("an honest client can't sign up")?;
        Ok(one)
    }

    async fn run(&mut self, time: Duration) -> Result<Vec<Duration>> {
        let (begun, mut taken) = (Instant::now(), Vec::new());
        let mut due = interval(PACE);
        due.set_missed_tick_behavior(MissedTickBehavior::Burst);
        while begun.elapsed() < time {
            let at = due.tick().await;
            let refresh = json!({ "refreshToken": self.token });
            self.ask("/tokens", &refresh)
                .await
                .context("an honest client was refused")?;
            taken.push(at.elapsed());
        }
        Ok(taken)
    }

    async fn ask(&mut self, path: &str, body: &Value) -> Result<()> {
        let answer = self
            .http
            .post(format!("{}{path}", self.base))
            .json(body)
            .send()
            .await?;
        let status = answer.status();
        let answer: Value = answer.json().await?;
        ensure!(status.is_success(), "{status}: {answer}");
        answer["tokens"]["refreshToken"]
            .as_str()
            .context("no token")?
            .clone_into(&mut self.token);
        Ok(())
    }
}
