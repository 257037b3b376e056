//! `revolve config …`: whether the configuration is right, what holds and why, and what there is to configure.

use super::{
    Format,
    answer::{self, CommandOutput},
};
use crate::{
    config::{self, ConfigError, Effective, Loaded, Mistake, Setting},
    load,
};
use anyhow::Result;
use clap::Subcommand;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// What to do with the configuration.
#[derive(Clone, Copy, Subcommand)]
pub(super) enum ConfigCommand {
    /// Says everything that is wrong, with file and line, and ends with 2; or that nothing is
    ///
    /// Reads the files of secrets, too, but reaches no store.
    Check(Format),
    /// Prints what holds and where each value comes from; secrets are masked
    Show(Format),
    /// Prints every key with what it does, its unit and its default, as a file in TOML
    Reference,
    /// Prints the JSON Schema of the configuration, for editors
    Schema,
}

#[derive(Serialize)]
struct Checked {
    files: Vec<PathBuf>,
    mistakes: Vec<Mistake>,
}

impl CommandOutput for Checked {
    fn text(&self) -> String {
        let files: Vec<String> = self
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        let read = if files.is_empty() {
            "there is no file".to_owned()
        } else {
            format!("read {}", files.join(", "))
        };
        format!("the configuration is right ({read}; then the environment)\n")
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct ShownSettings<'a>(&'a [Setting], #[serde(skip)] &'a Effective);

impl CommandOutput for ShownSettings<'_> {
    fn text(&self) -> String {
        self.1.to_toml()
    }
}

pub(super) fn run(command: ConfigCommand, file: Option<&Path>) -> Result<()> {
    match command {
        ConfigCommand::Check(format) => check(load(file), format),
        ConfigCommand::Show(format) => {
            let effective = load(file)?.effective;
            answer::print(&ShownSettings(effective.settings(), &effective), format)
        }
        ConfigCommand::Reference => answer::text(&config::reference()),
        ConfigCommand::Schema => answer::text(&config::schema()?),
    }
}

/// The lines for people are those that every command says.
fn check(loaded: Result<Loaded, ConfigError>, format: Format) -> Result<()> {
    match loaded {
        Ok(loaded) => answer::print(
            &Checked {
                files: loaded.files,
                mistakes: Vec::new(),
            },
            format,
        ),
        Err(error) => {
            if format.json {
                answer::print(
                    &Checked {
                        files: Vec::new(),
                        mistakes: error.mistakes().to_vec(),
                    },
                    format,
                )?;
            }
            Err(error.into())
        }
    }
}
