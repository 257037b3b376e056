//! `revolve serve`: the service until it is told to stop.

use super::block_on;
use crate::{
    Application, BASE, Reload,
    config::{Loaded, Profile},
    telemetry,
};
use anyhow::{Context, Result};
use std::{net::SocketAddr, path::Path};
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(super) fn run(loaded: Loaded, file: Option<&Path>) -> Result<()> {
    let Loaded { config, effective, .. } = loaded;
    let telemetry = telemetry::start(&config)?;
    let served = block_on(async move {
        // Before anything else, or a signal during the start would end the process.
        let hangup = signal(SignalKind::hangup()).context("SIGHUP can't be listened for")?;
        let (profile, data_dir) = (config.profile, config.data_dir.clone());
        let application = Application::build(config).await?;
        println!("listening on {}://{}", application.scheme(), application.address());
        if let Some(address) = application.metrics_address() {
            println!("metrics on http://{address}/metrics");
        }
        if profile == Profile::Embedded {
            welcome(application.scheme(), application.address(), &data_dir);
        }
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be listened for")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be listened for")?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
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

/// Three lines that can be pasted into a shell.
fn welcome(scheme: &str, address: SocketAddr, data_dir: &Path) {
    let post = |path: &str| format!("curl -sS {scheme}://{address}{BASE}{path} -H 'content-type: application/json'");
    let (sign_up, refresh) = (post("/signup"), post("/tokens"));
    println!(r#"sign up:  A=$({sign_up} -d '{{"email":"me@example.org","password":"correct horse battery"}}'); echo "$A""#);
    println!(r#"refresh:  A=$(echo "$A" | sed 's/.*"refreshToken":"\([^"]*\)".*/{{"refreshToken":"\1"}}/' | {refresh} -d @-); echo "$A""#);
    println!("look at:  ls -l {}   # keys and data", data_dir.display());
}
