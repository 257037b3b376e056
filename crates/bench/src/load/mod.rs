//! The load: clients that sign up, refresh and sign out over connections that they keep, each in a thread of its own that waits for its
//! answers. An order comes on standard input, its report goes to standard output; in between nothing is asked of the machine.

mod browsers;
mod chunks;
mod connection;
mod pace;
pub(crate) mod peer;
mod people;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, Write as _},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use people::People;

const PASSWORD: &str = "correct horse battery";

/// Arguments of `load`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// `host:port`
    address: String,
}

/// What to do.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LoadRequest {
    Echo,
    /// By the next one in a row, who is known from then on.
    SignUp,
    SignIn,
    Refresh,
    /// The same at `/oauth/token`.
    OauthRefresh,
    Me,
    /// Everywhere. Who has signed out is forgotten.
    SignOut,
    /// The address that a sign-up gave is verified, by the code of its mail. Who has done so is forgotten.
    Confirm,
    /// By the next browser in a row, which keeps its tokens in cookies.
    CookieSignUp,
    CookieRefresh,
}

/// An order: so many requests, or for so long.
#[derive(Debug, Deserialize)]
struct Order {
    request: LoadRequest,
    connections: usize,
    /// It ends after so many seconds …
    seconds: Option<f64>,
    /// … or so many requests.
    count: Option<usize>,
    /// Requests per second, whatever becomes of them (an open loop); without it each connection sends its next as soon as the last is answered.
    rate: Option<f64>,
    /// The codes of the mails by address, to confirm.
    #[serde(default)]
    codes: BTreeMap<String, String>,
}

/// What came of it. Latencies are in microseconds; those of an open loop count from when the request was to be sent.
#[derive(Debug, Serialize)]
struct LoadReport {
    answered: u64,
    /// Not answered as they should be, or not sent in time.
    failed: u64,
    first_failure: Option<String>,
    seconds: f64,
    p50: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut people = People::default();
    for line in std::io::stdin().lock().lines() {
        let order: Order = serde_json::from_str(&line?).context("this is no order")?;
        let report = people.carry_out(&args.address, &order)?;
        let mut out = std::io::stdout().lock();
        serde_json::to_writer(&mut out, &report)?;
        out.write_all(b"\n")?;
        out.flush()?;
    }
    Ok(())
}
