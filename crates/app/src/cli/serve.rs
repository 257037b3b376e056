//! `revolve serve`: the service until it is told to stop.

use super::{block_on, signals::Signals};
use crate::{
    Application, BASE, Reload,
    config::{Loaded, Profile},
    start_telemetry,
};
use anyhow::{Context, Result};
use sd_notify::NotifyState;
use std::{net::SocketAddr, path::Path, process};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) fn run(loaded: Loaded, file: Option<&Path>) -> Result<()> {
    let Loaded {
        config, effective, ..
    } = loaded;
    let telemetry = start_telemetry(&config)?;
    let served = block_on(async move {
        // Before anything else, or a signal during the start would end the process.
        let hangup = signal(SignalKind::hangup()).context("SIGHUP can't be listened for")?;
        let (profile, data_dir) = (config.profile, config.data_dir.clone());
        let application = Application::build(config).await?;
        println!(
            "listening on {}://{}",
            application.scheme(),
            application.address()
        );
        if let Some(address) = application.metrics_address() {
            println!("metrics on http://{address}/metrics");
        }
        if profile == Profile::Embedded {
            welcome(application.scheme(), application.address(), &data_dir);
        }
        let mut signals = Signals::listen()?;
        notify(&NotifyState::Ready);
        let stop = async move {
            signals.next().await;
            notify(&NotifyState::Stopping);
            actix_web::rt::spawn(async move {
                signals.next().await;
                tracing::warn!("stopping at once: told to twice");
                // What was acknowledged is in the stores: this loses no more than `kill -9` does.
                process::exit(1);
            });
        };
        let reload = application.reload(file.map(Path::to_owned), effective);
        let follow = actix_web::rt::spawn(follow(hangup, reload));
        let ended = application.run(stop).await;
        follow.abort();
        ended
    });
    telemetry.stop();
    served
}

/// Reads the configuration anew at each SIGHUP.
async fn follow(mut hangup: Signal, mut reload: Reload) {
    while hangup.recv().await.is_some() {
        reload.now().await;
    }
}

/// Tells systemd, if it started this process with `Type=notify` (sd_notify(3)).
fn notify(state: &NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(std::slice::from_ref(state)) {
        tracing::warn!(%error, "systemd could not be told");
    }
}

/// Three lines that can be pasted into a shell.
fn welcome(scheme: &str, address: SocketAddr, data_dir: &Path) {
    let post = |path: &str| {
        format!("curl -sS {scheme}://{address}{BASE}{path} -H 'content-type: application/json'")
    };
    let (sign_up, refresh) = (post("/signup"), post("/tokens"));
    println!(
        r#"sign up:  A=$({sign_up} -d '{{"email":"me@example.org","password":"correct horse battery"}}'); echo "$A""#
    );
    println!(
        r#"refresh:  A=$(echo "$A" | sed 's/.*"refreshToken":"\([^"]*\)".*/{{"refreshToken":"\1"}}/' | {refresh} -d @-); echo "$A""#
    );
    println!("look at:  ls -l {}   # keys and data", data_dir.display());
}
