//! The list of cases, and which of them can run where.

use fastrand::Rng;
use futures_util::future::LocalBoxFuture;

use super::{copied, dropped, password, replay, sign_out, stolen, tabs};
use crate::{
    harness::profile::Scope,
    torture::{
        round_context::{RoundContext, RoundOutcome, TortureRun},
        servers::ServerGroup,
    },
};

/// What a round tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Case {
    /// Many tabs refresh at once
    Tabs,
    /// Responses are lost, and requested again at once, within the window, or after it
    Dropped,
    /// A token is stolen without its device's credential
    Stolen,
    /// A whole device is copied, and the copy tries to live on retries
    Copied,
    /// Refreshes race a sign-out of this session, the others, or all
    SignOut,
    /// Refreshes and sign-ins race a change of password
    Password,
    /// The parent of a token is replayed after the token was used
    Parent,
    /// An older ancestor is replayed
    Grandparent,
    /// Tabs and retries are spread over two processes of the service
    Processes,
}

impl Case {
    /// Its name in the table and on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tabs => "tabs",
            Self::Dropped => "dropped",
            Self::Stolen => "stolen",
            Self::Copied => "copied",
            Self::SignOut => "sign-out",
            Self::Password => "password",
            Self::Parent => "parent",
            Self::Grandparent => "grandparent",
            Self::Processes => "processes",
        }
    }

    /// Why it can't run there, if it can't.
    pub(crate) fn obstacle(self, run: &TortureRun, servers: &ServerGroup) -> Option<String> {
        let profile = &run.profile;
        let unless = |possible: bool, why: &str| (!possible).then(|| why.to_owned());
        match self {
            Self::Tabs | Self::Dropped => None,
            Self::Stolen => unless(
                profile.has_credentials(),
                "the profile has no device credential",
            ),
            Self::Copied => {
                run.would_wait_for(run.windows.retry_free * (run.windows.late_retries + 1))
            }
            Self::Parent | Self::Grandparent => run.would_wait_for(run.windows.retry_free),
            Self::SignOut => unless(
                !sign_out::scopes(run).is_empty(),
                "the profile has no sign-out",
            ),
            Self::Password => unless(
                profile.change_password.is_some()
                    && profile.sign_in.is_some()
                    && run.has_own_accounts(),
                "the profile can't change passwords of accounts of its own",
            ),
            Self::Processes => unless(
                servers.urls.len() >= 2,
                "needs two replicas (give --url twice)",
            ),
        }
    }

    /// What of it can't run, though the rest does.
    pub(crate) fn partial_obstacle(self, run: &TortureRun) -> Option<String> {
        match self {
            Self::Dropped => dropped::obstacles(run),
            Self::SignOut => {
                let missing: Vec<_> = [Scope::This, Scope::Others, Scope::Everywhere]
                    .into_iter()
                    .filter(|scope| !sign_out::scopes(run).contains(scope))
                    .collect();
                (!missing.is_empty()).then(|| format!("the profile has no sign-out of {missing:?}"))
            }
            _ => None,
        }
    }

    /// Runs it once.
    pub(crate) fn run<'a>(
        self,
        ctx: &'a RoundContext,
        rng: &'a mut Rng,
    ) -> LocalBoxFuture<'a, RoundOutcome> {
        match self {
            Self::Tabs => Box::pin(tabs::one_process(ctx, rng)),
            Self::Dropped => Box::pin(dropped::run(ctx, rng)),
            Self::Stolen => Box::pin(stolen::run(ctx, rng)),
            Self::Copied => Box::pin(copied::run(ctx, rng)),
            Self::SignOut => Box::pin(sign_out::run(ctx, rng)),
            Self::Password => Box::pin(password::run(ctx, rng)),
            Self::Parent => Box::pin(replay::parent(ctx, rng)),
            Self::Grandparent => Box::pin(replay::grandparent(ctx, rng)),
            Self::Processes => Box::pin(tabs::two_processes(ctx, rng)),
        }
    }
}
