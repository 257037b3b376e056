//! The process that sends the requests: it reads an order per line and answers with a report.

use std::{collections::BTreeMap, process::Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
};

use crate::harness::service::Binary;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LoadRequest {
    Echo,
    SignUp,
    SignIn,
    Refresh,
    OauthRefresh,
    Me,
    SignOut,
    Confirm,
    CookieSignUp,
    CookieRefresh,
}

impl LoadRequest {
    /// What names of figures have.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Echo => "echo",
            Self::SignUp => "sign_up",
            Self::SignIn => "sign_in",
            Self::Refresh => "refresh",
            Self::OauthRefresh => "oauth_refresh",
            Self::Me => "me",
            Self::SignOut => "sign_out",
            Self::Confirm => "confirm",
            Self::CookieSignUp => "cookie_sign_up",
            Self::CookieRefresh => "cookie_refresh",
        }
    }
}

/// A number of requests or a time, at a rate or as fast as responses come.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LoadOrder {
    request: LoadRequest,
    connections: usize,
    seconds: Option<f64>,
    count: Option<usize>,
    rate: Option<f64>,
    codes: BTreeMap<String, String>,
}

impl LoadOrder {
    /// A closed loop: each connection waits for its answer.
    pub(super) fn closed(request: LoadRequest, connections: usize, seconds: f64) -> Self {
        Self {
            request,
            connections,
            seconds: Some(seconds),
            count: None,
            rate: None,
            codes: BTreeMap::new(),
        }
    }

    /// So many requests, each connection waiting for its answer.
    pub(super) fn count(request: LoadRequest, connections: usize, count: usize) -> Self {
        Self {
            request,
            connections,
            seconds: None,
            count: Some(count),
            rate: None,
            codes: BTreeMap::new(),
        }
    }

    /// A confirmation by everybody who has signed up since the last one, with the codes of their mails by address.
    pub(super) fn confirm(connections: usize, codes: BTreeMap<String, String>) -> Self {
        Self {
            codes,
            ..Self::count(LoadRequest::Confirm, connections, 0)
        }
    }

    /// An open loop: so many requests a second, however long responses take.
    pub(super) fn open(request: LoadRequest, connections: usize, seconds: f64, rate: f64) -> Self {
        Self {
            request,
            connections,
            seconds: Some(seconds),
            count: None,
            rate: Some(rate),
            codes: BTreeMap::new(),
        }
    }
}

/// Latencies are in microseconds.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct LoadReport {
    pub(super) answered: f64,
    pub(super) failed: u64,
    pub(super) first_failure: Option<String>,
    pub(super) seconds: f64,
    pub(super) p50: f64,
    pub(super) p99: f64,
    pub(super) p999: f64,
}

impl LoadReport {
    pub(super) fn rate(&self) -> f64 {
        self.answered / self.seconds
    }

    /// The rate and the latencies as figures.
    pub(super) fn figures(&self) -> [(&'static str, f64); 4] {
        [
            ("per_second", self.rate()),
            ("p50", self.p50),
            ("p99", self.p99),
            ("p999", self.p999),
        ]
    }

    /// An error unless all requests succeeded.
    pub(super) fn whole(self) -> Result<Self> {
        ensure!(
            self.failed == 0,
            "{} requests failed: {}",
            self.failed,
            self.first_failure.unwrap_or_default()
        );
        Ok(self)
    }
}

/// The process, with the users that it has signed up.
pub(super) struct LoadProcess {
    _child: Child,
    orders: ChildStdin,
    reports: Lines<BufReader<ChildStdout>>,
}

impl LoadProcess {
    /// Starts it against the server at this URL.
    pub(super) fn start(tools: &Binary, url: &str) -> Result<Self> {
        let mut command = Command::new(tools.path());
        command
            .args(["load", url.trim_start_matches("http://")])
            .env_clear();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().context("could not run the load")?;
        let (orders, reports) = child
            .stdin
            .take()
            .zip(child.stdout.take())
            .context("the load has no pipes")?;
        Ok(Self {
            _child: child,
            orders,
            reports: BufReader::new(reports).lines(),
        })
    }

    pub(super) async fn run(&mut self, order: LoadOrder) -> Result<LoadReport> {
        let mut line = serde_json::to_vec(&order)?;
        line.push(b'\n');
        self.orders
            .write_all(&line)
            .await
            .context("the load has ended")?;
        let report = self
            .reports
            .next_line()
            .await?
            .context("the load has ended")?;
        serde_json::from_str(&report).context("the load reports something else")
    }
}
