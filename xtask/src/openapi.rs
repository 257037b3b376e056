//! `cargo xtask openapi`: writes the files that are generated from the code and checked in. The same tests check them in every run.

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
        "revolve-http",
        "--lib",
        "documents::tests::files",
    ])?;
    command.env("REVOLVE_UPDATE_OPENAPI", "1");
    process::run(command, interrupt).await
}
