//! CPU time of a refresh in each process. Rounds of the algorithms alternate, so that other load of the machine affects all of them; the
//! figures vary from machine to machine, their ratio hardly.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::{figures::RefreshCost, setup::Setup, users::Users};
use crate::harness::{service::Instance, statistics::median, usage};

const ROUNDS: usize = 5;
const USERS: u32 = 2_000;

/// A service that signs with one algorithm, its users, and the costs of each round.
struct MeasuredService {
    algorithm: &'static str,
    service: Instance,
    users: Users,
    rounds: Vec<[f64; 3]>,
    refreshes: u32,
}

pub(super) async fn refreshes(setup: &Setup<'_>) -> Result<Vec<RefreshCost>> {
    let mut services = Vec::new();
    for algorithm in ["RS256", "ES256"] {
        let service = setup
            .service(&format!("cpu_{}", algorithm.to_lowercase()), algorithm)
            .await?;
        let users = Users::sign_up(service.url(), USERS).await?;
        services.push(MeasuredService {
            algorithm,
            service,
            users,
            rounds: Vec::new(),
            refreshes: 0,
        });
    }
    let time = Duration::from_secs(setup.args.seconds.into()) / u32::try_from(ROUNDS)?;
    for round in 0..ROUNDS {
        eprintln!("refreshes, round {} of {ROUNDS}", round + 1);
        for measured in &mut services {
            measured.round(setup, time).await?;
        }
    }
    let mut costs = Vec::new();
    for mut measured in services {
        measured.service.stop().await?;
        let median = |which: usize| {
            median(
                &measured
                    .rounds
                    .iter()
                    .map(|round| round[which])
                    .collect::<Vec<_>>(),
            )
        };
        let (service, redis, postgres) = (median(0), median(1), median(2));
        costs.push(RefreshCost {
            algorithm: measured.algorithm,
            service,
            redis,
            postgres,
            refreshes: measured.refreshes,
        });
    }
    Ok(costs)
}

impl MeasuredService {
    async fn round(&mut self, setup: &Setup<'_>, time: Duration) -> Result<()> {
        let processes = [
            self.service.pid().context("the service does not run")?,
            setup.redis.pid().context("Redis does not run here")?,
            setup.postgres.pid().context("Postgres does not run here")?,
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
