//! Whether a command reads or writes. One that only reads must not migrate the tables while a service of another release runs on them.

use super::settings;
use crate::{
    config::{Config, Profile},
    data_dir,
};
use anyhow::{Context, Result, bail};
use revolve_adapters::{postgres, sqlite};

/// What a command does with the stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To read: the tables stay as they are.
    Read,
    /// To write: the tables are migrated first, as at each start.
    Change,
}

impl Purpose {
    /// Checks the tables before the stores are opened.
    ///
    /// # Errors
    /// If the command only reads and the tables are not those of this release. The message says what to do.
    pub(super) async fn check(self, config: &Config) -> Result<()> {
        if self == Self::Change {
            return Ok(());
        }
        let (found, wanted) = match config.profile {
            Profile::Embedded => {
                data_dir::check(&config.data_dir)?;
                let file = config.data_dir.join("revolve.sqlite3");
                let context = || format!("the store {}", file.display());
                if !file.try_exists().with_context(context)? {
                    bail!(
                        "there is no {} yet: start the service, or make it with `revolve migrate`",
                        file.display()
                    );
                }
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

    /// Names on standard error the migrations that ran, since the command was for something else.
    pub(super) fn tell(store: &str, migrated: &[String]) {
        for migration in migrated {
            eprintln!("migrated the tables in {store}: {migration}");
        }
    }
}
