//! Revolve beside other systems: refreshes with RS256 by the same load, idle memory, and the start, in rounds that alternate.

mod contender;
mod load;
pub(super) mod page;

use std::time::Duration;

use anyhow::Result;

use super::{
    figures::{Figures, Samples, System},
    testbed::{Testbed, default_settings},
};
use crate::harness::{
    http::HttpClient, interrupt::Interrupt, statistics::float, stores::StoreKind, usage,
};
use contender::{Contender, PeerKind};

/// Of each system, begun anew in each round: the store of oidc-provider holds a thousand entries, and walks through all tokens of a session.
const SESSIONS: usize = 32;
/// Seconds of load before it counts: V8 optimizes code for a while.
const WARM_UP: f64 = 5.0;
/// For the work of the start to end.
const REST: Duration = Duration::from_secs(1);
/// More would take longer than they would tell.
const MOST_ROUNDS: usize = 7;
const DATABASE: u8 = 1;

const OIDC_PROVIDER: PeerKind = PeerKind {
    key: "oidc_provider",
    folder: "oidc-provider",
    variables: &[],
    first: "/.well-known/openid-configuration",
    store: "in memory",
};
const BETTER_AUTH: PeerKind = PeerKind {
    key: "better_auth",
    folder: "better-auth",
    variables: &[("DATABASE", "sqlite"), ("ALGORITHM", "RS256")],
    first: "/api/auth/ok",
    store: "SQLite in memory",
};

pub(super) async fn measure(
    testbed: &Testbed<'_>,
    figures: &mut Figures,
    interrupt: &Interrupt,
) -> Result<()> {
    let settings = || default_settings("RS256");
    let server = testbed.start_server("server", DATABASE, settings()).await?;
    let embedded = testbed.start_embedded("embedded", settings()).await?;
    let mut contenders = [
        Contender::own(server, "server profile, Redis + Postgres", true)?,
        Contender::own(embedded, "embedded, SQLite on disk", false)?,
        Contender::peer(&OIDC_PROVIDER, interrupt).await?,
        Contender::peer(&BETTER_AUTH, interrupt).await?,
    ];
    let mut samples = Samples::default();
    let (starts, rounds) = (
        testbed.size.starts.min(MOST_ROUNDS),
        testbed.size.rounds.min(MOST_ROUNDS),
    );
    for round in 1..=starts {
        eprintln!("starts, round {round} of {starts}");
        for contender in &mut contenders {
            contender.stop().await?;
            let milliseconds = contender.start(interrupt).await?;
            tokio::time::sleep(REST).await;
            let resident = float(usage::memory(contender.pid()?, "VmRSS")?);
            samples.add(contender.figure("milliseconds"), milliseconds);
            samples.add(contender.figure("rss"), resident);
        }
    }
    let http = HttpClient::new()?;
    for contender in &mut contenders {
        contender.check(&http).await?;
        let tokens = contender.sign_up(&http, SESSIONS).await?;
        load::refreshes(testbed, contender, tokens, WARM_UP).await?;
    }
    for round in 1..=rounds {
        eprintln!("refreshes, round {round} of {rounds}");
        for contender in &mut contenders {
            let tokens = contender.sign_up(&http, SESSIONS).await?;
            sample(testbed, contender, tokens, &mut samples).await?;
        }
    }
    figures.settle(samples);
    for mut contender in contenders {
        contender.stop().await?;
        figures.systems.push(System {
            key: contender.key,
            what: contender.what,
        });
    }
    Ok(())
}

async fn sample(
    testbed: &Testbed<'_>,
    contender: &Contender,
    tokens: Vec<String>,
    samples: &mut Samples,
) -> Result<()> {
    let pids = [
        contender.pid()?,
        testbed.pid(StoreKind::Redis)?,
        testbed.pid(StoreKind::Postgres)?,
    ];
    let used = || pids.into_iter().map(usage::cpu).collect::<Result<Vec<_>>>();
    let before = used()?;
    let report = load::refreshes(testbed, contender, tokens, testbed.size.seconds).await?;
    let after = used()?;
    let each = |which: usize| (after[which] - before[which]) * 1e6 / report.answered.max(1.0);
    samples.add(contender.figure("service"), each(0));
    if contender.has_stores {
        samples.add(contender.figure("stores"), each(1) + each(2));
    }
    samples.add(contender.figure("per_second"), report.rate());
    samples.add(contender.figure("p50"), report.p50);
    samples.add(contender.figure("p99"), report.p99);
    Ok(())
}
