//! Other systems, installed by npm from `xtask/peers/<name>` and started for a run: `server.mjs`, its dependencies, and `profile.toml`.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{folders, interrupt::Interrupt, node};

/// How long a peer may take to say where it listens.
const START: Duration = Duration::from_mins(1);
const FILES: [&str; 4] = [
    "package.json",
    "package-lock.json",
    "server.mjs",
    "profile.toml",
];

/// The files and packages of a peer.
pub(crate) struct InstalledPeer {
    name: String,
    folder: PathBuf,
}

impl InstalledPeer {
    /// Copies the files below the target folder, and installs the locked versions unless they are there.
    pub(crate) async fn install(name: &str, interrupt: &Interrupt) -> Result<Self> {
        let source = folder(&folders::root()?.join("xtask/peers"), name)?;
        let folder = folders::target()?.join("peers").join(name);
        fs::create_dir_all(&folder)?;
        for file in FILES {
            fs::copy(source.join(file), folder.join(file)).with_context(|| format!("no {file}"))?;
        }
        let packages = node::install(&folder, "package-lock.json", &["ci"]);
        interrupt.guard(packages).await?;
        Ok(Self {
            name: name.to_owned(),
            folder,
        })
    }

    pub(crate) fn profile(&self) -> PathBuf {
        self.folder.join("profile.toml")
    }

    /// Starts it in production mode and waits until it listens.
    pub(crate) async fn start(
        &self,
        variables: &[(&str, &str)],
        interrupt: &Interrupt,
    ) -> Result<Peer> {
        let (name, log) = (&self.name, self.folder.join("log"));
        let mut child = Command::new("node")
            .arg("server.mjs")
            .current_dir(&self.folder)
            .env("PORT", "0")
            .env("NODE_ENV", "production")
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("could not run node")?;
        let output = child.stdout.take().context("the peer has no output")?;
        let mut lines = BufReader::new(output).lines();
        let url = async {
            while let Some(line) = lines.next_line().await? {
                if let Some(url) = line.strip_prefix("listening on ") {
                    return Ok(url.trim().to_owned());
                }
            }
            bail!("{name} ended before it listened; see {}", log.display())
        };
        let url = interrupt
            .guard(async {
                timeout(START, url)
                    .await
                    .with_context(|| format!("{name} did not start"))?
            })
            .await?;
        // Reads on, or a full pipe would stop the peer.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Peer { url, child })
    }
}

/// Stops when it is dropped.
pub(crate) struct Peer {
    pub(crate) url: String,
    child: Child,
}

impl Peer {
    pub(crate) fn pid(&self) -> Result<u32> {
        self.child.id().context("the peer has ended")
    }

    pub(crate) async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("could not stop the peer")
    }
}

/// The folder of a peer; its name must be one of those that are there.
fn folder(peers: &Path, name: &str) -> Result<PathBuf> {
    let mut names = Vec::new();
    for entry in fs::read_dir(peers).with_context(|| format!("no {}", peers.display()))? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort_unstable();
    ensure!(
        names.iter().any(|known| known == name),
        "there is no peer {name}; there are {}",
        names.join(", ")
    );
    Ok(peers.join(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::profile::ServerProfile;

    #[test]
    fn every_peer_has_its_files_and_a_profile_that_needs_nothing_else() {
        let peers = folders::root().unwrap().join("xtask/peers");
        let error = folder(&peers, "../profiles").unwrap_err().to_string();
        assert!(
            error.contains("there are better-auth, oidc-provider"),
            "{error}"
        );
        for name in ["better-auth", "oidc-provider"] {
            let folder = folder(&peers, name).unwrap();
            for file in FILES {
                assert!(folder.join(file).is_file(), "{name}: {file}");
            }
            let profile = ServerProfile::load(Some(&folder.join("profile.toml"))).unwrap();
            assert!(
                profile.unset.is_empty() && profile.sign_up.is_some(),
                "{name}"
            );
        }
    }
}
