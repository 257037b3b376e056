//! What a refresh costs each process in CPU time. Rounds of the algorithms alternate, so that whatever else the machine does meets all of
//! them; single figures vary from machine to machine, their ratio hardly.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{Bench, users::Users};
use crate::harness::{service::Instance, statistics::median, stores::StoreKind, usage};

const ROUNDS: usize = 5;
const USERS: u32 = 2_000;

/// CPU time of one refresh in microseconds, medians over the rounds.
pub(super) struct Cost {
    pub(super) algorithm: &'static str,
    pub(super) service: f64,
    pub(super) redis: f64,
    pub(super) postgres: f64,
    /// Refreshes in all.
    pub(super) refreshes: u32,
}

/// A service that signs by one algorithm, its users, and what each round cost.
struct Side {
    algorithm: &'static str,
    service: Instance,
    users: Users,
    rounds: Vec<[f64; 3]>,
    refreshes: u32,
}

pub(super) async fn refreshes(bench: &Bench<'_>) -> Result<Vec<Cost>> {
    let mut sides = Vec::new();
    for algorithm in ["RS256", "ES256"] {
        let service = bench
            .service(&format!("cpu_{}", algorithm.to_lowercase()), algorithm)
            .await?;
        let users = Users::sign_up(service.url(), USERS).await?;
        sides.push(Side {
            algorithm,
            service,
            users,
            rounds: Vec::new(),
            refreshes: 0,
        });
    }
    let time = Duration::from_secs(bench.args.seconds.into()) / u32::try_from(ROUNDS)?;
    for round in 0..ROUNDS {
        eprintln!("refreshes, round {} of {ROUNDS}", round + 1);
        for side in &mut sides {
            side.round(bench, time).await?;
        }
    }
    let mut costs = Vec::new();
    for mut side in sides {
        side.service.stop().await?;
        let median = |which: usize| {
            median(
                &side
                    .rounds
                    .iter()
                    .map(|round| round[which])
                    .collect::<Vec<_>>(),
            )
        };
        let (service, redis, postgres) = (median(0), median(1), median(2));
        costs.push(Cost {
            algorithm: side.algorithm,
            service,
            redis,
            postgres,
            refreshes: side.refreshes,
        });
    }
    Ok(costs)
}

impl Side {
    async fn round(&mut self, bench: &Bench<'_>, time: Duration) -> Result<()> {
        let processes = [
            self.service.pid().context("the service runs")?,
            bench
                .stores
                .get(StoreKind::Redis)
                .and_then(crate::harness::stores::Store::pid)
                .context("Redis runs here")?,
            bench
                .stores
                .get(StoreKind::Postgres)
                .and_then(crate::harness::stores::Store::pid)
                .context("Postgres runs here")?,
        ];
        let used = || {
            processes
                .iter()
                .map(|pid| usage::cpu(*pid))
                .collect::<Result<Vec<_>>>()
        };
        let before = used()?;
        let count = self.users.refresh_for(time).await?;
        let after = used()?;
        let each = |which: usize| (after[which] - before[which]) * 1e6 / f64::from(count.max(1));
        self.rounds.push([each(0), each(1), each(2)]);
        self.refreshes += count;
        Ok(())
    }
}
