//! `cargo xtask audit`: known vulnerabilities of dependencies, by cargo-deny and the RustSec database. No part of ci, since an advisory that
//! appears overnight is not caused by the change at hand.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::harness::{
    folders,
    interrupt::Interrupt,
    process::{self, cargo},
};

/// Where the advisories are.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// A git URL of a mirror of the RustSec database
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Use the copy of the database that an earlier run fetched
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    if !process::succeeds(&mut cargo(["deny", "--version"])?).await {
        bail!(
            "nothing was audited: cargo-deny is not installed (`cargo install cargo-deny --locked`)"
        );
    }
    let root = folders::root()?;
    let target = folders::target()?;
    let config = match &args.database {
        Some(url) => with_database(&root.join("deny.toml"), url, &target.join("audit"))?,
        None => root.join("deny.toml"),
    };
    let deny = |words: &[&str]| -> Result<tokio::process::Command> {
        let mut command = cargo(["deny", "--config"])?;
        command
            .arg(&config)
            .args(args.offline.then_some("--offline"))
            .args(words);
        Ok(command)
    };
    if !args.offline
        && process::run(deny(&["fetch", "db"])?, interrupt)
            .await
            .is_err_and(|error| error.is::<process::Failed>())
    {
        bail!(
            "nothing was audited: the advisory database can't be reached (see above). Run this where it can, or name a mirror \
             (`--database URL`), or use the copy of an earlier run (`--offline`)"
        );
    }
    process::run(deny(&["check", "advisories"])?, interrupt)
        .await
        .context("there are advisories, or no database; see above")?;
    eprintln!("no advisory concerns what we depend on");
    Ok(())
}

/// A copy of deny.toml that names another database.
fn with_database(deny: &Path, url: &str, folder: &Path) -> Result<std::path::PathBuf> {
    let text =
        fs::read_to_string(deny).with_context(|| format!("could not read {}", deny.display()))?;
    let mut config: toml::Table = text.parse().context("deny.toml is wrong")?;
    let advisories = config
        .entry("advisories")
        .or_insert_with(|| toml::Table::new().into());
    let advisories = advisories
        .as_table_mut()
        .context("deny.toml: [advisories] is no section")?;
    advisories.insert("db-urls".to_owned(), toml::Value::Array(vec![url.into()]));
    fs::create_dir_all(folder)?;
    let file = folder.join("deny.toml");
    fs::write(&file, config.to_string())
        .with_context(|| format!("could not write {}", file.display()))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_takes_the_place_of_the_database_and_of_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let deny = folders::root().unwrap().join("deny.toml");
        let file = with_database(&deny, "https://example.org/mirror", folder.path()).unwrap();
        let read =
            |path: &Path| -> toml::Table { fs::read_to_string(path).unwrap().parse().unwrap() };
        let (mut before, mut after) = (read(&deny), read(&file));
        let urls = after["advisories"]
            .as_table_mut()
            .unwrap()
            .remove("db-urls")
            .unwrap();
        assert_eq!(
            urls.as_array().unwrap()[0].as_str(),
            Some("https://example.org/mirror")
        );
        before["advisories"]
            .as_table_mut()
            .unwrap()
            .remove("db-urls");
        assert_eq!(before, after);
    }
}
