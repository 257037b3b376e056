//! Whether a command reads or writes. One that only reads must not migrate the tables while a service of another release runs on them.

use super::settings;
use crate::{
    config::{Config, Profile},
    data_dir,
};
use anyhow::{Context, Result, bail};
use revolve_adapters::{postgres, sqlite};
use std::path::{self, Path, PathBuf};

/// What a command does with the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read: the tables stay as they are.
    Read,
    /// To write: the tables are migrated first, as at each start.
    Change,
    /// To write, also before the first start: an embedded installation is made where there is none.
    Create,
}

impl Purpose {
    /// Checks the tables before the stores are opened.
    ///
    /// # Errors
    /// If there is no embedded installation and the command makes none, or if it only reads and the tables are not those of this release.
    /// The message says what to do.
    pub(super) async fn check(self, config: &Config) -> Result<()> {
        if self == Self::Create {
            return Ok(());
        }
        if config.profile == Profile::Embedded {
            data_dir::check(&config.data_dir)?;
            if !is_there(config)? {
                bail!(
                    "there is no {}: run this in the service's folder, with the same `--config` and `REVOLVE__…` variables; for a new \
                     installation start the service, or run `revolve migrate`",
                    shown(&embedded_file(config))
                );
            }
        }
        if self == Self::Change {
            return Ok(());
        }
        let (found, wanted) = match config.profile {
            Profile::Embedded => {
                let file = embedded_file(config);
                let context = || format!("the store {}", file.display());
                let facts = sqlite::inspect(&file).await.with_context(context)?;
                (facts.schema, facts.wanted_schema)
            }
            Profile::Server => {
                let (facts, ()) = postgres::inspect(&settings::postgres(config)?, || ())
                    .await
                    .context("Postgres")?;
                (facts.schema, facts.wanted_schema)
            }
        };
        match found {
            Some(found) if found == wanted => Ok(()),
            Some(found) if found > wanted => {
                bail!(
                    "the tables are of version {found}, and this program knows {wanted}: a newer release has been here, use that one"
                )
            }
            Some(found) => bail!(
                "the tables are of version {found}, and this program needs {wanted}: bring them up to date with `revolve migrate`, or use \
                 the release that runs"
            ),
            None => bail!(
                "there are no tables yet: start the service, or make them with `revolve migrate`"
            ),
        }
    }

    /// Says on standard error that there is a new installation.
    pub(super) fn tell_new(config: &Config) {
        eprintln!("made a new installation in {}", shown(&config.data_dir));
    }

    /// Names on standard error the migrations that ran, since the command was for something else.
    pub(super) fn tell(store: &str, migrated: &[String]) {
        for migration in migrated {
            eprintln!("migrated the tables in {store}: {migration}");
        }
    }
}

/// The embedded profile's store.
pub(super) fn embedded_file(config: &Config) -> PathBuf {
    config.data_dir.join("revolve.sqlite3")
}

/// Whether the embedded profile has an installation here.
///
/// # Errors
/// If this user may not look.
pub(super) fn is_there(config: &Config) -> Result<bool> {
    let file = embedded_file(config);
    file.try_exists()
        .with_context(|| format!("the store {}", file.display()))
}

/// Where it is, whatever the folder that the command runs in.
fn shown(path: &Path) -> String {
    let whole = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    whole.display().to_string()
}
