//! `kill -9` of the service at random moments.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::faults::{
    environment::Environment,
    rounds::Rounds,
    stack::{EmbeddedStack, ServerStack, restart},
};

/// `sessions.retry_free`, short, so that retries can come late.
const RETRY_FREE: (&str, &str) = ("SESSIONS__RETRY_FREE", "300ms");
/// Longer, so that a retry after it is a late one.
const DOWN: Duration = Duration::from_millis(400);

/// Everything acknowledged is true afterwards, and every client's retry succeeds, free or late. No request is refused or answered 503 while the
/// service is killed. Rounds alternate between Redis with Postgres and the embedded store.
pub(super) async fn run(env: &mut Environment, rounds: &mut Rounds) -> Result<()> {
    let mut server = ServerStack::start(env, "service-kill", &[RETRY_FREE]).await?;
    let name = "service-kill-embedded";
    let data = env.folder(name).join("data");
    let mut embedded = EmbeddedStack::start(env, name, data, &[RETRY_FREE]).await?;
    while let Some(mut round) = rounds.next() {
        let (over_server, late) =
            round.in_turn(&[(true, true), (false, true), (true, false), (false, false)]);
        let (service, scenario, clients) = if over_server {
            (&mut server.service, &server.scenario, &mut server.clients)
        } else {
            (
                &mut embedded.service,
                &embedded.scenario,
                &mut embedded.clients,
            )
        };
        let fault = async {
            scenario.fault_begins();
            service.kill().await?;
            scenario.fault_ends();
            if late {
                sleep(DOWN).await;
            }
            restart(service, scenario).await?;
            scenario.route_to(&[service.url()]);
            scenario.wait_for_recovery().await?;
            Ok(())
        };
        clients.run(scenario, &mut round, fault).await?;
        round.record(|findings| {
            findings.check(if late {
                "kills, late retries"
            } else {
                "kills, free retries"
            });
            let unavailable = findings.unavailable();
            findings.require("kills without a 503", unavailable == 0, || {
                format!("{unavailable} requests were answered 503 when the service was killed")
            });
        });
        rounds.finish(round);
    }
    Ok(())
}
