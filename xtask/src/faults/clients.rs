//! The clients that use the service while a fault happens.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::{claims::Losses, client_ledger::ClientLedger, rounds::Round, scenario::Scenario};
use crate::harness::client::Client;

const CLIENTS: usize = 6;
/// A fault begins within so many microseconds.
pub(super) const BEFORE: std::ops::RangeInclusive<u64> = 20_000..=250_000;
/// Clients go on for so long after a fault.
const AFTER: Duration = Duration::from_millis(150);

pub(super) struct Clients(Vec<ClientLedger>);

impl Clients {
    /// New users, half of them with device credentials.
    pub(super) fn new(scenario: &Scenario) -> Self {
        let ledger = |number| ClientLedger::new(scenario.new_email(), number % 2 == 0);
        Self((0..CLIENTS).map(ledger).collect())
    }

    /// A round: the clients run, the fault happens at a random moment, they go on, and then everything acknowledged must hold.
    pub(super) async fn run<T>(
        &mut self,
        scenario: &Scenario,
        round: &mut Round,
        fault: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        for client in &mut self.0 {
            round.keep_journal(client.new_journal());
        }
        scenario.begin();
        let before = Duration::from_micros(round.rng.u64(BEFORE));
        let running: Vec<_> = self
            .0
            .iter_mut()
            .map(|client| client.run(scenario, round.rng.fork()))
            .collect();
        let outcome = beside(scenario, before, running, fault).await;
        let verified = async {
            let outcome = outcome?;
            let verifying: Vec<_> = self
                .0
                .iter_mut()
                .map(|client| client.verify(scenario, round.rng.fork()))
                .collect();
            try_join_all(verifying).await?;
            Ok(outcome)
        };
        let verified = verified.await;
        scenario.expect_losses(Losses::None);
        // Also if the round failed.
        let findings = scenario.take_findings();
        round.record(|total| total.merge(findings));
        verified
    }

    /// The sessions that the clients have now.
    pub(super) fn sessions(&self) -> impl Iterator<Item = &Client> {
        self.0.iter().filter_map(ClientLedger::client)
    }
}

/// Runs these until some time after the fault, which happens after so long.
pub(super) async fn beside<T>(
    scenario: &Scenario,
    before: Duration,
    running: Vec<impl Future<Output = Result<()>>>,
    fault: impl Future<Output = Result<T>>,
) -> Result<T> {
    let fault = async {
        sleep(before).await;
        let outcome = fault.await;
        scenario.fault_ends();
        sleep(AFTER).await;
        scenario.stop();
        outcome
    };
    let (ran, outcome) = tokio::join!(try_join_all(running), fault);
    ran?;
    outcome
}
