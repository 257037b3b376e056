//! Replicas that start at once, and replicas of two releases beside each other.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use futures_util::future::try_join_all;
use url::Url;

use crate::{
    faults::{clients::Clients, environment::Environment, rounds::Rounds, skipped::Skipped},
    harness::{
        folders,
        service::{Binary, Instance, Settings},
        stores::PostgresConnection,
    },
};

const REPLICAS: usize = 4;

/// What a replica logs for each migration that it applies, with its name; and a log level that shows it.
const WORDS: &str = "migrated the tables in Postgres";
const LEVEL: &str = "warn,revolve::security=error,revolve_adapters::sql=info";

/// Replicas that find an empty database at the same moment apply each migration once, and all serve.
pub(super) async fn migrations(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let redis = env.redis().await?;
    while let Some(mut round) = rounds.next() {
        let schema = env.schema().await?;
        let settings = env
            .settings()
            .await?
            .stores(&redis.url().parse()?, &schema)
            .with("LOG__LEVEL", LEVEL);
        let starts = (0..REPLICAS).map(async |number| {
            env.start_service(&settings, &format!("migrations-{}-{number}", round.seed))
                .await
        });
        let replicas = try_join_all(starts).await?;
        let scenario = env.scenario(&format!("migrations-{}", round.seed))?;
        scenario.route_to(&replicas.iter().map(Instance::url).collect::<Vec<_>>());
        let mut clients = Clients::new(&scenario);
        clients
            .run(&scenario, &mut round, scenario.wait_for_recovery())
            .await?;
        let (written, logs) = (
            applied(&schema).await?,
            replicas.iter().map(log).collect::<Result<Vec<_>>>()?,
        );
        let outcome = once(&migrations_of_source()?, &[], &written, &logs);
        round.record(|findings| {
            findings.count("starts at once", REPLICAS as u64);
            findings.count("migrations", written.len() as u64);
            findings.require(
                "sets of migrations, applied once by one replica",
                outcome.is_ok(),
                || outcome.err().unwrap_or_default(),
            );
        });
        rounds.finish(round);
    }
    Ok(())
}

/// The names of all migrations.
fn migrations_of_source() -> Result<Vec<String>> {
    let folder = folders::root()?.join("crates/adapters/migrations/postgres");
    let names =
        fs::read_dir(&folder).with_context(|| format!("could not read {}", folder.display()))?;
    let names = names.map(|entry| {
        Ok(entry?
            .file_name()
            .to_string_lossy()
            .trim_end_matches(".sql")
            .to_owned())
    });
    names.collect()
}

fn log(replica: &Instance) -> Result<String> {
    fs::read_to_string(replica.home().join("log")).context("a replica has no log")
}

/// Checks that all migrations are applied, and that those that were missing before were applied once, all by the same replica: the first one to
/// have the lock.
fn once(
    all: &[String],
    before: &[String],
    after: &[String],
    logs: &[String],
) -> Result<(), String> {
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    if sorted(all) != sorted(after) {
        return Err(format!("the tables have {after:?}, not {all:?}"));
    }
    for name in all {
        // As a word: V1 is no V11.
        let named = |line: &&str| {
            line.contains(WORDS)
                && line
                    .split(|c: char| !c.is_alphanumeric() && c != '_')
                    .any(|word| word == name)
        };
        let times = logs
            .iter()
            .flat_map(|log| log.lines())
            .filter(named)
            .count();
        if times != usize::from(!before.contains(name)) {
            return Err(format!(
                "{name} was applied {times} times by these replicas"
            ));
        }
    }
    match logs.iter().filter(|log| log.contains(WORDS)).count() {
        0 | 1 => Ok(()),
        many => Err(format!(
            "{many} replicas have applied migrations, so they did not wait for each other"
        )),
    }
}

/// The names of the migrations that were applied.
async fn applied(schema: &Url) -> Result<Vec<String>> {
    let client = PostgresConnection::open(schema).await?;
    let rows = client
        .query(
            "SELECT 'V' || version || '__' || name FROM refinery_schema_history",
            &[],
        )
        .await?;
    client.close().await;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The previous release runs; a replica of this one joins it, and each serves the other's sessions until the end, as in a rolling update.
pub(super) async fn versions(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    if env.previous.is_none() {
        return Err(Skipped(
            "there is no earlier release: name a commit with --previous".to_owned(),
        )
        .into());
    }
    let redis = env.redis().await?;
    while let Some(mut round) = rounds.next() {
        let schema = env.schema().await?;
        let settings = env.settings().await?.stores(&redis.url().parse()?, &schema);
        let previous = env
            .previous
            .as_ref()
            .context("there is no earlier release")?;
        let old = start_old(
            previous,
            settings.clone(),
            env.folder(&format!("versions-{}-old", round.seed)),
        )
        .await?;
        let scenario = env.scenario(&format!("versions-{}", round.seed))?;
        scenario.route_to(&[old.url()]);
        let mut clients = Clients::new(&scenario);
        let (before, seed) = (applied(&schema).await?, round.seed);
        let settings = settings.with("LOG__LEVEL", LEVEL);
        let new = clients
            .run(&scenario, &mut round, async {
                let new = env
                    .start_service(&settings, &format!("versions-{seed}-new"))
                    .await?;
                scenario.route_to(&[old.url(), new.url()]);
                scenario.wait_for_recovery().await?;
                Ok(new)
            })
            .await?;
        // Again with both from the beginning.
        clients
            .run(&scenario, &mut round, scenario.wait_for_recovery())
            .await?;
        let after = applied(&schema).await?;
        let outcome = once(&migrations_of_source()?, &before, &after, &[log(&new)?]);
        round.record(|findings| {
            findings.count(
                "migrations by the newer one",
                after.len().saturating_sub(before.len()) as u64,
            );
            findings.require(
                "sets of migrations, applied once by one replica",
                outcome.is_ok(),
                || outcome.err().unwrap_or_default(),
            );
        });
        drop(new);
        rounds.finish(round);
    }
    Ok(())
}

/// Starts an older release with the settings that it knows.
async fn start_old(previous: &Binary, mut settings: Settings, home: PathBuf) -> Result<Instance> {
    loop {
        match Instance::start(previous, &settings, home.clone()).await {
            Ok(instance) => return Ok(instance),
            Err(error) => {
                let message = format!("{error:#}");
                settings = settings.without_named(&message).ok_or(error)?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn logged(names: &[&str]) -> String {
        names
            .iter()
            .map(|name| format!("INFO {WORDS} migration={name}"))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn each_migration_once_by_one_replica_and_nothing_else() {
        let all = names(&["V1__a", "V2__b", "V11__a"]);
        let whole = ["V1__a", "V2__b", "V11__a"];
        let once = |before: &[&str], after: &[&str], logs: &[&[&str]]| {
            once(
                &all,
                &names(before),
                &names(after),
                &logs.iter().map(|log| logged(log)).collect::<Vec<_>>(),
            )
        };
        assert_eq!(once(&[], &whole, &[&[], &whole]), Ok(()));
        assert_eq!(once(&["V1__a"], &whole, &[&["V2__b", "V11__a"]]), Ok(()));
        assert_eq!(once(&whole, &whole, &[&[]]), Ok(()));
        for (what, before, after, logs) in [
            ("one is missing", &[][..], &whole[..2], &[&whole[..]][..]),
            ("nobody has said so", &[], &whole, &[&[], &[]]),
            ("twice", &[], &whole, &[&whole, &whole]),
            (
                "one of them twice",
                &[],
                &whole,
                &[&["V1__a", "V1__a", "V2__b", "V11__a"]],
            ),
            (
                "not by one replica",
                &[],
                &whole,
                &[&["V1__a"], &["V2__b", "V11__a"]],
            ),
            (
                "again, what was there before",
                &["V1__a"],
                &whole,
                &[&whole],
            ),
            (
                "one that nobody knows",
                &[],
                &["V1__a", "V2__b", "V11__a", "V12__c"],
                &[&whole],
            ),
        ] {
            assert!(once(before, after, logs).is_err(), "{what}");
        }
    }

    #[test]
    fn the_source_has_migrations() {
        assert!(
            migrations_of_source()
                .unwrap()
                .contains(&"V1__accounts_and_sessions".to_owned())
        );
    }
}
