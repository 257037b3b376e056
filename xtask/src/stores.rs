//! `cargo xtask stores`: both stores for manual work, with a prompt to stop, kill and start them under a running service.

use std::io::BufRead as _;

use anyhow::{Result, bail};
use tokio::sync::mpsc;

use crate::harness::{
    interrupt::Interrupt,
    stores::{Args, StoreKind, Stores},
};

/// Starts the stores, prints their URLs, and executes commands from standard input until a signal arrives.
pub(crate) async fn run(args: &Args, interrupt: Interrupt) -> Result<()> {
    let mut stores = Stores::start(args, false, &interrupt).await?;
    for store in &stores.running {
        println!(
            "export REVOLVE__{}__URL={}",
            store.kind().to_string().to_uppercase(),
            store.url()
        );
        println!("export {}={}", store.kind().url_variable(), store.url());
    }
    eprintln!(
        "Ctrl-C removes both; `redis stop`, `redis kill`, `redis start`, and so for postgres"
    );
    let mut lines = lines();
    loop {
        tokio::select! {
            _ = interrupt.wait() => break,
            // At the end of input the stores stay until the signal.
            Some(line) = lines.recv() => match obey(&mut stores, line.trim()).await {
                Ok(()) => eprintln!("done"),
                Err(error) => eprintln!("{error:#}"),
            },
        }
    }
    stores.shut_down().await;
    Ok(())
}

async fn obey(stores: &mut Stores, line: &str) -> Result<()> {
    let Some((name, verb)) = line.split_once(' ') else {
        bail!("say which store and what: `redis stop`")
    };
    let Some(kind) = StoreKind::ALL
        .into_iter()
        .find(|kind| kind.to_string() == name)
    else {
        bail!("`{name}` is neither redis nor postgres")
    };
    let Some(store) = stores.running.iter_mut().find(|store| store.kind() == kind) else {
        bail!("{kind} was not started")
    };
    match verb.trim() {
        "stop" => store.stop().await,
        "kill" => store.kill().await,
        "start" => store.restart().await,
        other => bail!("`{other}` is none of stop, kill, start"),
    }
}

/// Lines of standard input. A thread reads them, since a read from a terminal can't be cancelled.
fn lines() -> mpsc::UnboundedReceiver<String> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
