//! Replicas that start at once, and replicas of two releases beside each other.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use tokio_postgres::NoTls;
use url::Url;

use crate::{
    faults::{
        house::{House, LeftOut},
        rounds::Rounds,
    },
    torture::{
        Binary,
        service::{Instance, Settings},
    },
};

const REPLICAS: usize = 4;

/// Replicas that find an empty database at the same moment apply each migration once, and all serve.
pub(super) async fn migrations(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    let redis = house.redis().await?;
    while let Some(mut round) = rounds.next() {
        let schema = house.schema().await?;
        let settings = house.settings().await?.stores(&redis.url().parse()?, &schema);
        let starts = (0..REPLICAS).map(async |number| house.start(&settings, &format!("migrations-{}-{number}", round.seed)).await);
        let replicas = try_join_all(starts).await?;
        let town = house.town(&format!("migrations-{}", round.seed))?;
        town.at(&replicas.iter().map(Instance::url).collect::<Vec<_>>());
        let mut people = town.people();
        town.endure(&mut people, &mut round, async { town.recover().await }).await?;
        let (applied, twice) = applied(&schema).await?;
        round.note(|verdict| {
            verdict.checks("starts at once", REPLICAS as u64);
            verdict.require("sets of migrations", applied > 0 && twice == 0, || format!("{applied} applied, {twice} of them twice"));
        });
        rounds.judge(round);
    }
    Ok(())
}

/// Migrations that were applied, and those that were applied more than once.
async fn applied(schema: &Url) -> Result<(i64, i64)> {
    let (client, connection) = tokio_postgres::connect(schema.as_str(), NoTls).await.context("Postgres does not answer")?;
    let driver = tokio::spawn(connection);
    let row = client.query_one("SELECT count(*), count(*) - count(DISTINCT version) FROM refinery_schema_history", &[]).await?;
    drop(client);
    drop(driver.await);
    Ok((row.get(0), row.get(1)))
}

/// The previous release has begun; replicas of this one join it, and each serves the other's sessions. The old ones stay until the end, as
/// in a rolling update.
pub(super) async fn versions(house: &mut House, rounds: &mut Rounds) -> Result<()> {
    if house.previous.is_none() {
        return Err(LeftOut("there is no earlier release: name a commit by --previous".to_owned()).into());
    }
    let redis = house.redis().await?;
    while let Some(mut round) = rounds.next() {
        let schema = house.schema().await?;
        let settings = house.settings().await?.stores(&redis.url().parse()?, &schema);
        let previous = house.previous.as_ref().context("there is no earlier release")?;
        let old = start_old(previous, settings.clone(), house.folder(&format!("versions-{}-old", round.seed))).await?;
        let town = house.town(&format!("versions-{}", round.seed))?;
        town.at(&[old.url()]);
        let mut people = town.people();
        let (before, seed) = (applied(&schema).await?.0, round.seed);
        let new = town
            .endure(&mut people, &mut round, async {
                let new = house.start(&settings, &format!("versions-{seed}-new")).await?;
                town.at(&[old.url(), new.url()]);
                town.recover().await?;
                Ok(new)
            })
            .await?;
        // And once more, with both from the beginning.
        town.endure(&mut people, &mut round, async { town.recover().await }).await?;
        let (after, twice) = applied(&schema).await?;
        round.note(|verdict| {
            verdict.checks("migrations by the newer one", u64::try_from(after - before).unwrap_or_default());
            verdict.require("sets of migrations", twice == 0, || format!("{twice} applied twice"));
        });
        drop(new);
        rounds.judge(round);
    }
    Ok(())
}

/// Starts an older release with as much of the configuration as it knows.
async fn start_old(previous: &Binary, mut settings: Settings, home: PathBuf) -> Result<Instance> {
    loop {
        match Instance::start(previous, &settings, home.clone()).await {
            Ok(instance) => return Ok(instance),
            Err(error) => {
                let complaint = format!("{error:#}");
                settings = settings.without_named(&complaint).ok_or(error)?;
            }
        }
    }
}
