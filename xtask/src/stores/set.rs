//! All stores of one run, started together and taken down together.

use std::time::Instant;

use anyhow::Result;
use tokio::process::Command;

use super::{Args, Kind, Server, Store, engine};
use crate::interrupt::{Interrupt, Interrupted};

/// All stores of a run, and what could not be had.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    pub(crate) running: Vec<Store>,
    skipped: Vec<String>,
}

impl Stores {
    /// Starts both stores. With `allow_skip` a store that can't be reached is left out and named.
    pub(crate) async fn start(args: &Args, allow_skip: bool, interrupt: &Interrupt) -> Result<Self> {
        let mut stores = Self::default();
        for kind in Kind::ALL {
            let begun = Instant::now();
            match interrupt.guard(Store::start(kind, args)).await {
                Ok(store) => {
                    eprintln!("{store}, ready in {:.1} s", begun.elapsed().as_secs_f64());
                    stores.running.push(store);
                }
                Err(error) if allow_skip && !error.is::<Interrupted>() => {
                    let skipped = format!("{kind}: SKIPPED: {error:#}");
                    eprintln!("{skipped}");
                    stores.skipped.push(skipped);
                }
                Err(error) => {
                    stores.shut_down().await;
                    return Err(error);
                }
            }
        }
        Ok(stores)
    }

    /// How a store is reached, if it is there.
    pub(crate) fn url(&self, kind: Kind) -> Option<&str> {
        self.running.iter().find(|store| store.kind == kind).map(Store::url)
    }

    /// Prints a line per store: which, and how it is reached.
    pub(crate) fn report(&self) {
        for store in &self.running {
            eprintln!("{store}");
        }
        for skipped in &self.skipped {
            eprintln!("{skipped}");
        }
    }

    /// Gives the URLs to a command by its environment.
    pub(crate) fn export(&self, command: &mut Command) {
        for store in &self.running {
            command.env(store.kind.url_variable(), &store.url);
        }
    }

    /// Takes everything down that this run has started, also what was only half started.
    pub(crate) async fn shut_down(self) {
        for store in self.running {
            if let Server::Local(mut server) = store.server
                && let Err(error) = server.stop().await
            {
                eprintln!("{}: {error:#}", store.kind);
            }
        }
        engine::remove_all().await;
    }
}
