//! The clock of a replica jumps by an hour, or is five seconds off, by libfaketime.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result};
use tokio::time::sleep;

use crate::{
    faults::{
        environment::{House, LeftOut},
        rounds::{Round, Rounds},
        scenario::Town,
    },
    harness::{
        client::Client,
        journal::claims,
        profile::Answer,
        service::{Instance, Settings},
    },
};

/// How far the clock jumps, in seconds.
const JUMPS: [i64; 4] = [3600, -3600, 5, -5];
/// A machine that is busy is so late, in seconds.
const LATE: i64 = 10;
/// The lives of tokens that are seen to expire, and how long after that no right clock takes them.
const SHORT: [(&str, &str); 2] = [
    ("TOKENS__ID_LIFETIME", "1s"),
    ("TOKENS__REFRESH_LIFETIME", "2s"),
];
const EXPIRED: Duration = Duration::from_millis(3500);

/// Two replicas, one of them with a clock that can be set.
struct Pair {
    right: Instance,
    wrong: Instance,
    clock: PathBuf,
}

impl Pair {
    async fn start(house: &House, settings: &Settings, name: &str, library: &str) -> Result<Self> {
        let clock = house.folder(&format!("{name}-clock"));
        fs::write(&clock, "+0s\n")?;
        let faked = settings
            .clone()
            .foreign("LD_PRELOAD", library)
            .foreign("FAKETIME_TIMESTAMP_FILE", &clock.display().to_string())
            .foreign("FAKETIME_NO_CACHE", "1")
            // Timers run on; only the time of day is wrong.
            .foreign("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        let right = house.start(settings, &format!("{name}-right")).await?;
        let wrong = house.start(&faked, &format!("{name}-wrong")).await?;
        Ok(Self {
            right,
            wrong,
            clock,
        })
    }

    fn set(&self, seconds: i64) -> Result<()> {
        Ok(fs::write(&self.clock, format!("{seconds:+}s\n"))?)
    }
}

/// No honest client is signed out for it; no token is accepted beyond its `exp` by a right clock, and no refresh token by a wrong one.
pub(super) async fn play(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let library = library().ok_or_else(|| {
        LeftOut("libfaketime is not installed (Debian: `apt-get install libfaketime`)".to_owned())
    })?;
    let redis = house.redis().await?;
    let settings = house
        .settings()
        .await?
        .stores(&redis.url().parse()?, &house.schema().await?);
    let long = Pair::start(
        house,
        &settings.clone().with("TOKENS__REFRESH_LIFETIME", "3days"),
        "clock",
        &library,
    )
    .await?;
    let settings = SHORT
        .iter()
        .fold(settings, |settings, (key, value)| settings.with(key, value));
    let short = Pair::start(house, &settings, "clock-short", &library).await?;
    let town = house.town("clock")?;
    town.at(&[long.right.url(), long.wrong.url()]);
    town.refresh_only();
    let mut people = town.people();
    while let Some(mut round) = rounds.next() {
        let jump = round.turn(&JUMPS);
        town.endure(&mut people, &mut round, async {
            long.set(jump)?;
            town.recover().await
        })
        .await?;
        is_faked(&town, &long, jump, &round).await?;
        expires(&town, &short, jump, &round).await?;
        long.set(0)?;
        short.set(0)?;
        round.note(|verdict| {
            verdict.check(if jump.abs() > 60 {
                "jumps by an hour"
            } else {
                "clocks five seconds apart"
            })
        });
        rounds.judge(round);
    }
    Ok(())
}

/// Makes sure that the replica's clock is wrong: a test that fakes nothing proves nothing.
async fn is_faked(town: &Town, pair: &Pair, jump: i64, round: &Round) -> Result<()> {
    let (right, wrong) = (
        town.newcomer(pair.right.url()).await?.1,
        town.newcomer(pair.wrong.url()).await?.1,
    );
    let off = issued(&wrong)? - issued(&right)?;
    round.note(|verdict| {
        verdict.require(
            "clocks seen to be wrong",
            (off - jump).abs() < LATE.min(jump.abs()),
            || format!("{off} s off"),
        )
    });
    Ok(())
}

fn issued(client: &Client) -> Result<i64> {
    claims(&client.grant.refresh)
        .and_then(|claims| claims["iat"].as_i64())
        .context("a token without iat")
}

/// A token that is over is over: for the right clock in any case, and a refresh token for everybody, since its life is the store's to count.
async fn expires(town: &Town, pair: &Pair, jump: i64, round: &Round) -> Result<()> {
    let (_, client) = town.newcomer(pair.right.url()).await?;
    pair.set(jump)?;
    sleep(EXPIRED).await;
    let (right, wrong) = (
        town.api(pair.right.url(), &client.api.journal),
        town.api(pair.wrong.url(), &client.api.journal),
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
        round.note(|verdict| {
            verdict.require(what, matches!(reply.answer, Answer::Refused(_)), || {
                format!("{what}: {words}")
            })
        });
    }
    Ok(())
}

/// Where Debian and others put it.
fn library() -> Option<String> {
    let folders = fs::read_dir("/usr/lib")
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    let places = folders.chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/local/lib")]);
    let mut libraries = places.map(|place| place.join("faketime/libfaketimeMT.so.1"));
    libraries
        .find(|library| library.exists())
        .map(|library| library.display().to_string())
}
