//! Honest users who refresh at a fixed rate: a refresh that begins late because the one before it was slow counts from when it should have begun.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use crate::harness::raw_http::Connection;

/// Users, each with a connection of their own.
const USERS: u32 = 8;

/// The users.
pub(super) struct Probe {
    users: Vec<User>,
    every: Duration,
}

struct User {
    connection: Connection,
    token: String,
}

impl User {
    fn sign_up(address: &str, number: u32) -> Result<Self> {
        let mut connection = Connection::open(address)?;
        let body = json!({ "email": format!("probe-{number}@example.org"), "password": "correct horse battery" });
        let answer = connection.post("/signup", &body)?;
        ensure!(
            answer.status == 201,
            "a sign-up was answered {}",
            answer.status
        );
        Ok(Self {
            token: token(&answer.body)?,
            connection,
        })
    }

    fn refresh(&mut self) -> Result<()> {
        let answer = self
            .connection
            .post("/tokens", &json!({ "refreshToken": self.token }))?;
        ensure!(
            answer.status == 200,
            "a refresh was answered {}",
            answer.status
        );
        self.token = token(&answer.body)?;
        Ok(())
    }

    /// Refreshes once in each `every`, for so long.
    fn run(&mut self, offset: Duration, every: Duration, lasts: Duration) -> Result<Vec<Duration>> {
        let begun = Instant::now() + offset;
        let mut due = begun;
        let mut times = Vec::new();
        while due < begun + lasts {
            // Not `sleep`: on purpose nothing is waited for here but the time.
            thread::park_timeout(due.saturating_duration_since(Instant::now()));
            if Instant::now() < due {
                continue;
            }
            self.refresh()?;
            times.push(due.elapsed());
            due += every;
        }
        Ok(times)
    }
}

fn token(body: &[u8]) -> Result<String> {
    let json: Value = serde_json::from_slice(body)?;
    Ok(json["tokens"]["refreshToken"]
        .as_str()
        .context("no refresh token")?
        .to_owned())
}

impl Probe {
    /// Signs them up; all together they refresh so many times a second.
    pub(super) async fn sign_up(address: &str, rate: u32) -> Result<Self> {
        let address = address.to_owned();
        let users = move || {
            (0..USERS)
                .map(|number| User::sign_up(&address, number))
                .collect::<Result<Vec<_>>>()
        };
        Ok(Self {
            users: tokio::task::spawn_blocking(users).await??,
            every: Duration::from_secs(1) / rate.max(1),
        })
    }

    /// The latencies of all refreshes within this time.
    pub(super) async fn run(&mut self, lasts: Duration) -> Result<Vec<Duration>> {
        let (users, every) = (std::mem::take(&mut self.users), self.every);
        let run = move || {
            let running = users.into_iter().zip(0_u32..).map(|(mut user, number)| {
                thread::spawn(move || {
                    let times = user.run(every * number, every * USERS, lasts);
                    (user, times)
                })
            });
            let running: Vec<_> = running.collect();
            running
                .into_iter()
                .map(thread::JoinHandle::join)
                .collect::<Vec<_>>()
        };
        let mut all = Vec::new();
        for ended in tokio::task::spawn_blocking(run).await? {
            let Ok((user, times)) = ended else {
                anyhow::bail!("a user's thread panicked")
            };
            all.extend(times?);
            self.users.push(user);
        }
        Ok(all)
    }
}
