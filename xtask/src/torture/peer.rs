//! Other systems, installed by npm from `xtask/peers/<name>` and started for a run: `server.mjs`, its dependencies, and `profile.toml`.

use std::{
    fs,
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

use crate::harness::{folders, interrupt::Interrupt, process};

/// How long a peer may take to say where it listens.
const START: Duration = Duration::from_mins(1);
const FILES: [&str; 4] = [
    "package.json",
    "package-lock.json",
    "server.mjs",
    "profile.toml",
];

/// Stops when it is dropped.
pub(super) struct Peer {
    pub(super) url: String,
    pub(super) profile: PathBuf,
    _child: Child,
}

impl Peer {
    pub(super) async fn start(name: &str, interrupt: &Interrupt) -> Result<Self> {
        let source = folder(&folders::root()?.join("xtask/peers"), name)?;
        let folder = folders::target()?.join("peers").join(name);
        install(&source, &folder, interrupt).await?;
        let mut child = Command::new("node")
            .arg("server.mjs")
            .current_dir(&folder)
            .env("PORT", "0")
            .env("NODE_ENV", "production")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
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
            bail!("{name} ended before it listened")
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
        Ok(Self {
            url,
            profile: source.join("profile.toml"),
            _child: child,
        })
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

/// Copies the files below the target folder, and installs the locked versions unless they are there.
async fn install(source: &Path, folder: &Path, interrupt: &Interrupt) -> Result<()> {
    fs::create_dir_all(folder)?;
    let (lock, stamp) = (source.join("package-lock.json"), folder.join("installed"));
    let wanted = fs::read(&lock).with_context(|| format!("no {}", lock.display()))?;
    for file in FILES {
        fs::copy(source.join(file), folder.join(file)).with_context(|| format!("no {file}"))?;
    }
    if fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(folder);
    process::run(npm, interrupt).await?;
    fs::write(stamp, wanted).context("could not remember what is installed")
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
