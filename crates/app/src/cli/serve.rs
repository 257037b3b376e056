//! `revolve serve`: runs the service until a signal stops it.

use super::{block_on, signals::Signals};
use crate::{
    ADMIN_BASE, Application, BASE, Reload,
    config::{Loaded, Profile},
    start_telemetry,
};
use anyhow::{Context, Result};
use std::{
    env,
    ffi::OsStr,
    io,
    net::SocketAddr,
    os::unix::{
        ffi::OsStrExt,
        net::{self, UnixDatagram},
    },
    path::Path,
    process,
};
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
        if let Some(address) = application.admin_address() {
            println!(
                "admin API on {}://{address}{ADMIN_BASE}",
                application.scheme()
            );
        }
        if profile == Profile::Embedded {
            welcome(application.scheme(), application.address(), &data_dir);
        }
        let mut signals = Signals::listen()?;
        notify("READY=1\n");
        let stop = async move {
            signals.next().await;
            notify("STOPPING=1\n");
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

/// Notifies the service manager, if there is one (sd_notify(3)).
fn notify(state: &str) {
    let Some(socket) = env::var_os("NOTIFY_SOCKET").filter(|socket| !socket.is_empty()) else {
        return;
    };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, socket = %socket.display(), "the service manager could not be notified");
    }
}

/// The socket is a path, or an abstract name after an `@` (unix(7)).
fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes() {
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt;
            net::SocketAddr::from_abstract_name(name)?
        }
        [b'/', ..] => net::SocketAddr::from_pathname(socket)?,
        _ => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "NOTIFY_SOCKET is neither a path nor an abstract name",
            ));
        }
    };
    UnixDatagram::unbound()?
        .send_to_addr(state.as_bytes(), &address)
        .map(drop)
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
