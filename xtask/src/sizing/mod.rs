//! `cargo xtask sizing`: what a session and a user take in each store, and what a refresh costs, measured on this machine and written into
//! `docs/sizing.md`. The stores are local servers of its own on the loopback, so that the CPU time of their processes can be read.

mod cpu;
mod figures;
mod page;
mod setup;
mod space;
mod users;

use anyhow::Result;

use self::{figures::SizingFigures, setup::Setup};
use crate::harness::{
    folders,
    interrupt::Interrupt,
    service::Binary,
    stores::{self, Stores},
};

pub(crate) use self::setup::Args;

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let binary = Binary::build(true, interrupt).await?;
    let stores = Stores::start_own(&stores::Args::local(), interrupt).await?;
    let outcome = interrupt.guard(measure(args, binary, &stores)).await;
    stores.shut_down().await;
    let text = page::text(args, &outcome?);
    println!("{text}");
    if args.print {
        Ok(())
    } else {
        page::write(&folders::root()?.join("docs/sizing.md"), &text)
    }
}

async fn measure(args: &Args, binary: Binary, stores: &Stores) -> Result<SizingFigures> {
    let setup = Setup::new(args, binary, stores)?;
    let (redis, postgres) = space::server(&setup).await?;
    let sqlite = space::embedded(&setup).await?;
    let costs = cpu::refreshes(&setup).await?;
    Ok(SizingFigures {
        redis,
        postgres,
        sqlite,
        costs,
    })
}
