//! `revolve migrate`: the tables of the user database up to date, without serving.

use super::{
    Format,
    answer::{self, CommandOutput},
    block_on,
};
use crate::{
    composition::{self, Migrated},
    config::Config,
};
use anyhow::Result;
use serde::Serialize;

#[derive(Serialize)]
struct MigrationReport {
    store: &'static str,
    applied: Vec<String>,
}

impl CommandOutput for MigrationReport {
    fn text(&self) -> String {
        if self.applied.is_empty() {
            return format!(
                "the tables in {} are up to date, nothing was to be done\n",
                self.store
            );
        }
        let lines: Vec<String> = self
            .applied
            .iter()
            .map(|migration| format!("migrated the tables in {}: {migration}\n", self.store))
            .collect();
        lines.concat()
    }
}

pub(super) fn run(config: Config, format: Format) -> Result<()> {
    let Migrated { store, migrations } =
        block_on(async move { composition::migrate(&config).await })?;
    answer::print(
        &MigrationReport {
            store,
            applied: migrations,
        },
        format,
    )
}
