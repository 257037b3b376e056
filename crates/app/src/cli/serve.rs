//! `revolve serve`: the service until it is told to stop.

use crate::{
    Application, BASE,
    config::{Config, Profile},
    telemetry,
};
use anyhow::{Context, Result};
use std::{net::SocketAddr, path::Path};
use tokio::signal::unix::{SignalKind, signal};

pub(super) fn run(config: Config) -> Result<()> {
    let telemetry = telemetry::start(&config)?;
    let served = actix_web::rt::System::new().block_on(async move {
        let (profile, data_dir) = (config.profile, config.data_dir.clone());
        let application = Application::build(config).await?;
        println!("listening on http://{}", application.address());
        if let Some(address) = application.metrics_address() {
            println!("metrics on http://{address}/metrics");
        }
        if profile == Profile::Embedded {
            welcome(application.address(), &data_dir);
        }
        let mut terminate = signal(SignalKind::terminate()).context("SIGTERM can't be listened for")?;
        let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT can't be listened for")?;
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        application.run(stop).await
    });
    telemetry.stop();
    served
}

/// Three lines that can be pasted into a shell.
fn welcome(address: SocketAddr, data_dir: &Path) {
    let post = |path: &str| format!("curl -sS http://{address}{BASE}{path} -H 'content-type: application/json'");
    let (sign_up, refresh) = (post("/signup"), post("/tokens"));
    println!(r#"sign up:  A=$({sign_up} -d '{{"email":"me@example.org","password":"correct horse battery"}}'); echo "$A""#);
    println!(r#"refresh:  A=$(echo "$A" | sed 's/.*"refreshToken":"\([^"]*\)".*/{{"refreshToken":"\1"}}/' | {refresh} -d @-); echo "$A""#);
    println!("look at:  ls -l {}   # keys and data", data_dir.display());
}
