//! The cases: each is an attack or a misfortune, played out once per round with choices of its own, and judged by what clients see.

mod copied;
mod dropped;
mod killed;
mod outage;
mod password;
mod replay;
mod restored;
mod sign_out;
mod stolen;
mod tabs;

use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::future::LocalBoxFuture;
use tokio::{task::yield_now, time::sleep};

use super::round_context::{Judged, Run, Scene};
use crate::harness::{profile::Scope, service::Site};

/// What a round plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Case {
    /// Many tabs refresh at once
    Tabs,
    /// Answers are lost, and asked for again at once, inside the window, or after it
    Dropped,
    /// A token is stolen without its device's credential
    Stolen,
    /// A whole device is copied, and the copy tries to live on retries
    Copied,
    /// Refreshes race a sign-out of this session, the others, or all
    SignOut,
    /// Refreshes and sign-ins race a change of password
    Password,
    /// A store is down for longer than the window in the middle of a refresh
    Outage,
    /// The parent of a token is replayed after the token was used
    Parent,
    /// An older ancestor is replayed
    Grandparent,
    /// Tabs and retries are spread over two processes of the service
    Processes,
    /// The service is killed in the middle of refreshes
    Killed,
    /// A store is restored from a snapshot
    Restored,
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
            Self::Outage => "outage",
            Self::Parent => "parent",
            Self::Grandparent => "grandparent",
            Self::Processes => "processes",
            Self::Killed => "killed",
            Self::Restored => "restored",
        }
    }

    /// What keeps it from being played there, if anything does.
    pub(crate) fn obstacle(self, run: &Run, site: &Site) -> Option<String> {
        let profile = &run.profile;
        let owned = |there: bool| {
            (!there).then(|| {
                "needs instances that the kit has started itself (leave out --url)".to_owned()
            })
        };
        match self {
            Self::Tabs | Self::Dropped => None,
            Self::Stolen => (!profile.has_credentials())
                .then(|| "the profile has no device credential".to_owned()),
            Self::Copied => patient(run, run.windows.retry_free * (run.windows.late_retries + 1)),
            Self::Parent | Self::Grandparent => patient(run, run.windows.retry_free),
            Self::SignOut => {
                let scopes = sign_out::scopes(run);
                (scopes.is_empty()).then(|| "the profile has no sign-out".to_owned())
            }
            Self::Password => (profile.change_password.is_none()
                || profile.sign_in.is_none()
                || !run.has_own_accounts())
            .then(|| "the profile can't change passwords of accounts of its own".to_owned()),
            Self::Outage if site.embedded => Some(
                "one file is both stores, inside the process: there is nothing to cut".to_owned(),
            ),
            Self::Outage => owned(!site.outages.is_empty()),
            Self::Processes => {
                (site.urls.len() < 2).then(|| "needs two replicas (give --url twice)".to_owned())
            }
            Self::Killed => owned(!site.mortals.is_empty()),
            Self::Restored => owned(!site.archives.is_empty() || site.redis.is_some()),
        }
    }

    /// What of it is left out there, though the rest is played.
    pub(crate) fn partly(self, run: &Run, site: &Site) -> Option<String> {
        match self {
            Self::Dropped => dropped::left_out(run),
            Self::SignOut => {
                let missing: Vec<_> = [Scope::This, Scope::Others, Scope::Everywhere]
                    .into_iter()
                    .filter(|scope| !sign_out::scopes(run).contains(scope))
                    .collect();
                (!missing.is_empty()).then(|| format!("the profile has no sign-out of {missing:?}"))
            }
            Self::Restored if site.embedded => {
                Some("rows and white list are one file, so a restored one knows nothing of later sign-outs".to_owned())
            }
            _ => None,
        }
    }

    /// Plays it once.
    pub(crate) fn play<'a>(self, scene: &'a Scene, rng: &'a mut Rng) -> LocalBoxFuture<'a, Judged> {
        match self {
            Self::Tabs => Box::pin(tabs::one_process(scene, rng)),
            Self::Dropped => Box::pin(dropped::play(scene, rng)),
            Self::Stolen => Box::pin(stolen::play(scene, rng)),
            Self::Copied => Box::pin(copied::play(scene, rng)),
            Self::SignOut => Box::pin(sign_out::play(scene, rng)),
            Self::Password => Box::pin(password::play(scene, rng)),
            Self::Outage => Box::pin(outage::play(scene, rng)),
            Self::Parent => Box::pin(replay::parent(scene, rng)),
            Self::Grandparent => Box::pin(replay::grandparent(scene, rng)),
            Self::Processes => Box::pin(tabs::two_processes(scene, rng)),
            Self::Killed => Box::pin(killed::play(scene, rng)),
            Self::Restored => Box::pin(restored::play(scene, rng)),
        }
    }
}

fn patient(run: &Run, wait: Duration) -> Option<String> {
    let words = humantime::format_duration;
    (wait > run.patience).then(|| {
        format!(
            "would wait for {} (--patience {})",
            words(wait),
            words(run.patience)
        )
    })
}

/// Waits for a moment, more finely than the runtime's timer, whose steps of a millisecond would make races begin in step.
async fn pause(moment: Duration) {
    let end = Instant::now() + moment;
    sleep(Duration::from_millis(
        u64::try_from(moment.as_millis())
            .unwrap_or_default()
            .saturating_sub(1),
    ))
    .await;
    while Instant::now() < end {
        yield_now().await;
    }
}

/// A random moment of up to `most` milliseconds, small ones as likely as large ones.
fn moment(rng: &mut Rng, most: u64) -> Duration {
    let micros = rng.u64(0..=most * 1000);
    Duration::from_micros(if rng.bool() { micros / 16 } else { micros })
}
