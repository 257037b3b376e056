//! Users who sign up, sign in and refresh, a few at a time.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::harness::http::HttpClient;

/// Requests at once.
const AT_ONCE: u32 = 8;
const PASSWORD: &str = "correct horse battery";

/// Users of a service and their newest refresh tokens.
pub(super) struct Users {
    client: HttpClient,
    url: String,
    tokens: Vec<String>,
}

impl Users {
    pub(super) async fn sign_up(url: &str, number: u32) -> Result<Self> {
        let client = HttpClient::new()?;
        let (next, bar) = (
            AtomicU32::new(0),
            ProgressBar::new(number.into()).with_message("sign-ups"),
        );
        let some = async || {
            let mut tokens = Vec::new();
            loop {
                let who = next.fetch_add(1, Ordering::Relaxed);
                if who >= number {
                    return Ok::<_, anyhow::Error>(tokens);
                }
                let body = json!({ "email": format!("user-{who}@example.org"), "password": PASSWORD, "deviceName": "Firefox on Linux" });
                tokens.push(ask(&client, &format!("{url}/api/account/signup"), &body).await?);
                bar.inc(1);
            }
        };
        let tokens = try_join_all((0..AT_ONCE).map(|_| some())).await?.concat();
        bar.finish_and_clear();
        Ok(Self {
            client,
            url: url.to_owned(),
            tokens,
        })
    }

    /// Signs each of the first `number` in `times` more times, as other devices. Their new tokens are not kept.
    pub(super) async fn sign_in(&self, number: u32, times: u32) -> Result<()> {
        let next = AtomicU32::new(0);
        let some = async || {
            loop {
                let who = next.fetch_add(1, Ordering::Relaxed);
                if who >= number * times {
                    return Ok::<_, anyhow::Error>(());
                }
                let body = json!({ "email": format!("user-{}@example.org", who % number), "password": PASSWORD });
                ask(
                    &self.client,
                    &format!("{}/api/account/signin", self.url),
                    &body,
                )
                .await?;
            }
        };
        try_join_all((0..AT_ONCE).map(|_| some())).await.map(drop)
    }

    /// Each refreshes once.
    pub(super) async fn refresh_each(&mut self) -> Result<()> {
        let share = self.tokens.len().div_ceil(AT_ONCE as usize).max(1);
        let (client, url) = (&self.client, format!("{}/api/account/tokens", self.url));
        let url = &url;
        try_join_all(self.tokens.chunks_mut(share).map(|tokens| async move {
            for token in tokens {
                *token = ask(client, url, &json!({ "refreshToken": token })).await?;
            }
            Ok::<_, anyhow::Error>(())
        }))
        .await
        .map(drop)
    }

    /// Refreshes for so long; returns how often.
    pub(super) async fn refresh_for(&mut self, time: Duration) -> Result<u32> {
        let end = Instant::now() + time;
        let share = self.tokens.len().div_ceil(AT_ONCE as usize).max(1);
        let (client, url) = (&self.client, format!("{}/api/account/tokens", self.url));
        let url = &url;
        let counts = try_join_all(self.tokens.chunks_mut(share).map(|tokens| async move {
            let mut count = 0;
            for turn in 0.. {
                if Instant::now() >= end {
                    break;
                }
                let token = &mut tokens[turn % tokens.len()];
                *token = ask(client, url, &json!({ "refreshToken": token })).await?;
                count += 1;
            }
            Ok::<u32, anyhow::Error>(count)
        }))
        .await?;
        Ok(counts.into_iter().sum())
    }
}

/// Sends a request; the refresh token of its response.
async fn ask(client: &HttpClient, url: &str, body: &Value) -> Result<String> {
    let response = client
        .post(url, body)
        .await
        .context("the service does not answer")?;
    let token = response.text("/tokens/refreshToken");
    token.with_context(|| format!("{url} answers {}: {}", response.status, response.body))
}
