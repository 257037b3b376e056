//! The clock of a replica jumps by an hour, or is five seconds off, by libfaketime.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::{
    faults::{
        clients::Clients,
        environment::Environment,
        rounds::{Round, Rounds},
        scenario::Scenario,
        skipped::Skipped,
    },
    harness::{
        client::Client,
        faketime::{self, FakeClock},
        journal::claims,
        profile::Answer,
        service::{Instance, Settings},
    },
};

/// How far the clock jumps, in seconds.
const JUMPS: [i64; 4] = [3600, -3600, 5, -5];
/// How late a busy machine may be, in seconds.
const LATE: i64 = 10;
/// The lifetimes of tokens that expire here, and the time after which a right clock refuses them.
const SHORT: [(&str, &str); 2] = [
    ("TOKENS__ID_LIFETIME", "1s"),
    ("TOKENS__REFRESH_LIFETIME", "2s"),
];
const EXPIRED: Duration = Duration::from_millis(3500);

/// Two replicas, one of them with a clock that can be set.
struct Pair {
    right: Instance,
    wrong: Instance,
    clock: FakeClock,
}

impl Pair {
    async fn start(
        env: &Environment,
        settings: &Settings,
        name: &str,
        library: &str,
    ) -> Result<Self> {
        let clock = FakeClock::new(library, env.folder(&format!("{name}-clock")))?;
        let faked = clock.of(settings);
        let right = env
            .start_service(settings, &format!("{name}-right"))
            .await?;
        let wrong = env.start_service(&faked, &format!("{name}-wrong")).await?;
        Ok(Self {
            right,
            wrong,
            clock,
        })
    }
}

/// No honest client is signed out; a right clock accepts no token after its `exp`, and a wrong one no refresh token.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let library = faketime::library().ok_or_else(|| {
        Skipped("libfaketime is not installed (Debian: `apt-get install libfaketime`)".to_owned())
    })?;
    let redis = env.redis().await?;
    let settings = env
        .settings()
        .await?
        .stores(&redis.url().parse()?, &env.schema().await?);
    let long = Pair::start(
        env,
        &settings.clone().with("TOKENS__REFRESH_LIFETIME", "3days"),
        "clock",
        &library,
    )
    .await?;
    let settings = SHORT
        .iter()
        .fold(settings, |settings, (key, value)| settings.with(key, value));
    let short = Pair::start(env, &settings, "clock-short", &library).await?;
    let scenario = env.scenario("clock")?;
    scenario.route_to(&[long.right.url(), long.wrong.url()]);
    scenario.refresh_only();
    let mut clients = Clients::new(&scenario);
    while let Some(mut round) = rounds.next() {
        let jump = round.in_turn(&JUMPS);
        let fault = async {
            long.clock.set(jump)?;
            scenario.wait_for_recovery().await
        };
        clients.run(&scenario, &mut round, fault).await?;
        is_faked(&scenario, &long, jump, &round).await?;
        expires(&scenario, &short, jump, &round).await?;
        long.clock.set(0)?;
        short.clock.set(0)?;
        round.record(|findings| {
            findings.check(if jump.abs() > 60 {
                "jumps by an hour"
            } else {
                "clocks five seconds apart"
            });
        });
        rounds.finish(round);
    }
    Ok(())
}

/// Requires that the replica's clock is wrong.
async fn is_faked(scenario: &Scenario, pair: &Pair, jump: i64, round: &Round) -> Result<()> {
    let (right, wrong) = (
        scenario.sign_up(pair.right.url()).await?.1,
        scenario.sign_up(pair.wrong.url()).await?.1,
    );
    let off = issued(&wrong)? - issued(&right)?;
    round.record(|findings| {
        findings.require(
            "clocks seen to be wrong",
            (off - jump).abs() < LATE.min(jump.abs()),
            || format!("{off} s off"),
        );
    });
    Ok(())
}

fn issued(client: &Client) -> Result<i64> {
    claims(&client.grant.refresh)
        .and_then(|claims| claims["iat"].as_i64())
        .context("a token without iat")
}

/// An expired token is refused: an ID token by the right clock, a refresh token by both, since the store counts its lifetime.
async fn expires(scenario: &Scenario, pair: &Pair, jump: i64, round: &Round) -> Result<()> {
    let (_, client) = scenario.sign_up(pair.right.url()).await?;
    pair.clock.set(jump)?;
    sleep(EXPIRED).await;
    let (right, wrong) = (
        scenario.api(pair.right.url(), &client.api.journal),
        scenario.api(pair.wrong.url(), &client.api.journal),
    );
    let bearer = right
        .check(&client.grant)
        .await?
        .context("ID tokens can't be used")?;
    let replies = [
        ("ID tokens beyond their exp", bearer),
        (
            "refresh tokens beyond their exp, wrong clock",
            client.at(&wrong).refresh().await?,
        ),
        (
            "refresh tokens beyond their exp",
            client.at(&right).refresh().await?,
        ),
    ];
    for (what, reply) in replies {
        let words = reply.words();
        round.record(|findings| {
            findings.require(what, matches!(reply.answer, Answer::Refused(_)), || {
                format!("{what}: {words}")
            });
        });
    }
    Ok(())
}
