//! Watches the key set and the liveness of a replica, which no store may take away.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::town::Town;

const EVERY: Duration = Duration::from_millis(50);
/// More would be a sign that it waits for something, even on a machine that is busy with other things.
const ANSWER: Duration = Duration::from_secs(2);
const PATHS: [&str; 2] = ["/health/live", "/.well-known/jwks.json"];

/// Looks at both for as long as `meanwhile` lasts.
pub(super) async fn watch<T>(town: &Town, base: &str, meanwhile: impl Future<Output = T>) -> T {
    let looks = async {
        loop {
            for path in PATHS {
                let look = async {
                    let answer = town.http().get(format!("{base}{path}")).send().await?;
                    answer.error_for_status()?.bytes().await
                };
                let stalled = town.stalled();
                match timeout(ANSWER, look).await {
                    Ok(Ok(_)) => town.check("looks at key set and liveness"),
                    Ok(Err(error)) => town.violate(&format!("{path}: {}", error.without_url())),
                    Err(_) if town.stalled() > stalled => {}
                    Err(_) => town.violate(&format!("{path}: no answer within {} ms", ANSWER.as_millis())),
                }
            }
            sleep(EVERY).await;
        }
    };
    tokio::select! {
        outcome = meanwhile => outcome,
        () = looks => unreachable!("the looks have no end"),
    }
}
