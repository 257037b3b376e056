//! The `revolve` command.

use anyhow::{Context, Result, anyhow};
use clap::{Parser, Subcommand};
use revolve::{
    Application, BASE,
    config::{Config, Profile},
    keys::{self, KeysCommand},
    telemetry,
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};
use tokio::signal::unix::{SignalKind, signal};

/// A self-hosted account service with revolving refresh tokens.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    /// A configuration file, in place of those in config/.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop (what it does without a command, too).
    Serve,
    /// Lists and changes the keys that sign tokens.
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Asks the service on this machine if it is ready; for images without a shell.
    Healthcheck,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let config = match Config::load(cli.config.as_deref()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(config),
        Command::Keys { command } => manage_keys(config, command),
        Command::Healthcheck => healthcheck(config.http.listen),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("revolve: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn serve(config: Config) -> Result<()> {
    telemetry::start(&config.log)?;
    actix_web::rt::System::new().block_on(async move {
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
    })
}

fn manage_keys(config: Config, command: KeysCommand) -> Result<()> {
    actix_web::rt::System::new().block_on(async move {
        print!("{}", keys::run(config, command).await?);
        Ok(())
    })
}

/// Three lines that can be pasted into a shell.
fn welcome(address: SocketAddr, data_dir: &std::path::Path) {
    let post = |path: &str| format!("curl -sS http://{address}{BASE}{path} -H 'content-type: application/json'");
    let (sign_up, refresh) = (post("/signup"), post("/tokens"));
    println!(r#"sign up:  A=$({sign_up} -d '{{"email":"me@example.org","password":"correct horse battery"}}'); echo "$A""#);
    println!(r#"refresh:  A=$(echo "$A" | sed 's/.*"refreshToken":"\([^"]*\)".*/{{"refreshToken":"\1"}}/' | {refresh} -d @-); echo "$A""#);
    println!("look at:  ls -l {}   # keys and data", data_dir.display());
}

/// One request by hand: an HTTP client would be a large dependency for a status line.
fn healthcheck(listen: SocketAddr) -> Result<()> {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let wait = Duration::from_secs(3);
    let mut stream = TcpStream::connect_timeout(&address, wait).with_context(|| format!("nothing listens on {address}"))?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    stream.write_all(format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("no answer in time")?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(anyhow!("not ready: {status}")) }
}
