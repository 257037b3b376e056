//! `revolve serve`: runs the service until a signal stops it.

use super::{block_on, signals::Signals};
use crate::{
    ADMIN_BASE, Application, BASE, Reload,
    config::{Config, Loaded, Profile},
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
use url::{Host, Url};

pub(super) fn run(loaded: Loaded, file: Option<&Path>) -> Result<()> {
    let Loaded {
        config, effective, ..
    } = loaded;
    let telemetry = start_telemetry(&config)?;
    let served = block_on(async move {
        // Before anything else, or a signal during the start would end the process.
        let hangup = signal(SignalKind::hangup()).context("SIGHUP can't be listened for")?;
        let (profile, data_dir) = (config.profile, config.data_dir.clone());
        let (issuer, is_default) = (config.tokens.origin(), is_default_issuer(&config));
        let has_pages = config.pages.enabled;
        let application = Application::build(config).await?;
        let (scheme, address) = (application.scheme(), application.address());
        let is_here = is_here(&issuer, scheme, address);
        // Cookies and forms are of one origin, and links of mails lead to the issuer's: that is the one to open.
        let url = if is_here {
            issuer.clone()
        } else {
            format!("{scheme}://{address}")
        };
        if profile == Profile::Embedded && is_default && !is_here {
            tracing::warn!(
                "links of mails lead to {issuer}, which is not where this service listens: set tokens.issuer to the URL that browsers open"
            );
        }
        // Before it says that it is there: who reads that may stop it.
        let mut signals = Signals::listen()?;
        println!("listening on {url}");
        if let Some(address) = application.metrics_address() {
            println!("metrics on http://{address}/metrics");
        }
        if let Some(address) = application.admin_address() {
            println!("admin API on {scheme}://{address}{ADMIN_BASE}");
        }
        if profile == Profile::Embedded {
            // Forms are taken under the issuer's name only.
            if has_pages && is_here {
                println!("open:     {url}/account   # sign up in a browser");
            }
            welcome(&url, &data_dir);
        }
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

fn is_default_issuer(config: &Config) -> bool {
    config.tokens.issuer == Config::default().tokens.issuer
}

/// Whether this origin is a name of the socket for the browsers of this machine.
fn is_here(origin: &str, scheme: &str, address: SocketAddr) -> bool {
    let Ok(url) = Url::parse(origin) else {
        return false;
    };
    let is_same_host = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(host)) => address.ip() == host,
        Some(Host::Ipv6(host)) => address.ip() == host,
        None => false,
    };
    address.ip().is_loopback()
        && is_same_host
        && url.scheme() == scheme
        && url.port_or_known_default() == Some(address.port())
}

/// Three lines that can be pasted into a shell.
fn welcome(url: &str, data_dir: &Path) {
    let post =
        |path: &str| format!("curl -sS {url}{BASE}{path} -H 'content-type: application/json'");
    let (sign_up, refresh) = (post("/signup"), post("/tokens"));
    println!(
        r#"sign up:  A=$({sign_up} -d '{{"email":"me@example.org","password":"correct horse battery"}}'); echo "$A""#
    );
    println!(
        r#"refresh:  A=$(echo "$A" | sed 's/.*"refreshToken":"\([^"]*\)".*/{{"refreshToken":"\1"}}/' | {refresh} -d @-); echo "$A""#
    );
    println!("look at:  ls -l {}   # keys and data", data_dir.display());
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn the_issuer_is_printed_only_if_it_is_this_socket() {
        let is_shown =
            |origin: &str, address: &str| is_here(origin, "http", address.parse().unwrap());
        for (origin, address) in [
            ("http://localhost:8080", "127.0.0.1:8080"),
            ("http://localhost:8080", "[::1]:8080"),
            ("http://127.0.0.1:8080", "127.0.0.1:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("http://localhost", "127.0.0.1:80"),
        ] {
            assert!(is_shown(origin, address), "{origin} {address}");
        }
        for (origin, address) in [
            ("http://localhost:8080", "127.0.0.1:18099"),
            ("http://localhost:8080", "0.0.0.0:8080"),
            ("http://localhost:8080", "192.0.2.7:8080"),
            ("http://127.0.0.1:8080", "[::1]:8080"),
            ("https://localhost:8080", "127.0.0.1:8080"),
            ("https://accounts.example.org", "127.0.0.1:8080"),
            ("null", "127.0.0.1:8080"),
        ] {
            assert!(!is_shown(origin, address), "{origin} {address}");
        }
    }
}
