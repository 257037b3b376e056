//! What is tried before the first round, so that a mistake in the set-up is not counted as the service's.

use std::sync::{Arc, PoisonError};

use anyhow::{Context as _, Result};
use fastrand::Rng;

use super::{
    round_context::{RoundContext, TortureRun},
    servers::ServerGroup,
};

/// Begins a session and refreshes it once. The error says what was tried and which variables of the profile have no value.
pub(super) async fn check(run: &Arc<TortureRun>, servers: &Arc<ServerGroup>) -> Result<()> {
    // Rounds count from 0; this one is none of them.
    let ctx = RoundContext::new(Arc::clone(run), Arc::clone(servers), usize::MAX, 0).await;
    let tried = refresh_once(&ctx).await;
    tried.with_context(|| {
        let mut words = format!(
            "the set-up of {} is at fault, nothing was judged",
            servers.name
        );
        if let Some(unset) = unset(run) {
            words = format!("{words} ({unset})");
        }
        words
    })
}

async fn refresh_once(ctx: &RoundContext) -> Result<()> {
    let api = ctx.any_replica(&mut Rng::with_seed(0));
    let (_, mut client) = ctx.sign_up(&api, false).await?;
    client
        .try_to_advance()
        .await
        .context("the first refresh, before any round")?;
    if let Some(tokens) = &ctx.run.tokens {
        // A round goes on with it, so that the preflight costs none.
        let mut tokens = tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.push(client.grant.refresh);
    }
    Ok(())
}

/// Which variables that the profile names have no value.
pub(super) fn unset(run: &TortureRun) -> Option<String> {
    let names = &run.profile.unset;
    (!names.is_empty()).then(|| {
        format!(
            "not set in the environment, and left out of requests: {}",
            names.join(", ")
        )
    })
}
