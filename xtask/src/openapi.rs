//! `cargo xtask openapi`: writes what is generated from the code and checked in. The same tests say in every run whether it is fresh.

use anyhow::Result;

use crate::harness::{
    interrupt::Interrupt,
    process::{self, cargo},
};

pub(crate) async fn run(interrupt: &Interrupt) -> Result<()> {
    let mut command = cargo([
        "test",
        "--quiet",
        "--package",
        "revolve",
        "--lib",
        "http::openapi::tests::files",
    ])?;
    command.env("REVOLVE_UPDATE_OPENAPI", "1");
    process::run(command, interrupt).await
}
