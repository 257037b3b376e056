//! `cargo xtask tour`: plays the whole story against a fresh server and a service that verifies its tokens, and prints what happens. An
//! outcome that differs from the story ends the tour with an error, so it is a test as well.

mod browser;
mod device;
mod help_desk;
mod mailbox;
mod output;
mod pages;
mod setup;
mod story;

use anyhow::Result;

use self::setup::TourSetup;
use crate::harness::{interrupt::Interrupt, service::Binary};

pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    eprintln!("building the service, and one that verifies its tokens");
    let binary = Binary::build(false, interrupt).await?;
    let relying = Binary::build_package("relying-service", false, interrupt).await?;
    let mut setup = TourSetup::start(&binary, &relying).await?;
    let played = Box::pin(interrupt.guard(story::play(&setup))).await;
    let stopped = setup.instance.stop().await;
    played.and(stopped)
}
