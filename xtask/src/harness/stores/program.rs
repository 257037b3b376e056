//! Servers that are installed on this machine, and how they run: not as root where they refuse it, and not longer than this process.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use super::kind::StoreKind;
use crate::harness::process;

/// An installed server.
#[derive(Debug)]
pub(crate) struct Program {
    pub(super) kind: StoreKind,
    pub(super) path: PathBuf,
    version: String,
}

impl Program {
    /// Looks for a server by name and by the version that it prints.
    pub(crate) async fn find(kind: StoreKind) -> Option<Self> {
        for folder in folders(kind) {
            let path = match kind {
                // Debian's is a link to a program that depends on the name that it is called by.
                StoreKind::Redis => Some(folder.join("redis-server")).filter(|path| path.exists()),
                // A link is followed, since the database's other programs are beside the real file.
                StoreKind::Postgres => folder.join("postgres").canonicalize().ok(),
            };
            let Some(path) = path else { continue };
            let mut command = Command::new(&path);
            command.arg("--version");
            let version = process::output(&mut command).await.unwrap_or_default();
            let genuine = match kind {
                StoreKind::Redis => version.starts_with("Redis server v="),
                StoreKind::Postgres => {
                    version.starts_with("postgres (PostgreSQL)")
                        && path.with_file_name("initdb").exists()
                }
            };
            if genuine {
                let number = version
                    .split([' ', '='])
                    .find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
                return Some(Self {
                    kind,
                    path,
                    version: number.unwrap_or_default().to_owned(),
                });
            }
        }
        None
    }

    /// The first number of its version; 0 if there is none.
    pub(super) fn major(&self) -> u32 {
        self.version
            .split('.')
            .next()
            .and_then(|number| number.parse().ok())
            .unwrap_or_default()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.version)
    }
}

/// Where a server may be. Debian has Postgres outside the path; the newest version comes first.
fn folders(kind: StoreKind) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if kind == StoreKind::Postgres {
        let versions = fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten();
        let mut versions: Vec<u32> = versions
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        folders.extend(
            versions
                .iter()
                .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"))),
        );
    }
    folders.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    folders.extend(["/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"].map(PathBuf::from));
    folders
}

/// The user for Postgres when this process is root, which Postgres refuses.
#[derive(Debug)]
pub(super) struct SystemUser {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl SystemUser {
    pub(super) async fn unprivileged() -> Result<Self> {
        for name in ["postgres", "nobody"] {
            if let (Ok(uid), Ok(gid)) = (id(&["-u", name]).await, id(&["-g", name]).await) {
                return Ok(Self { uid, gid });
            }
        }
        bail!(
            "Postgres does not run as root, and there is no user `postgres` or `nobody`: make one, or run this as another user"
        )
    }
}

pub(super) async fn is_root() -> bool {
    id(&["-u"]).await.is_ok_and(|uid| uid == 0)
}

async fn id(args: &[&str]) -> Result<u32> {
    let mut command = Command::new("id");
    process::output(command.args(args))
        .await?
        .parse()
        .context("`id` printed no number")
}

/// A command as this user, which ends with this process even if that is killed, where the system can do so.
pub(super) fn command(program: &Path, user: Option<&SystemUser>) -> Command {
    let setpriv = ["/usr/bin/setpriv", "/bin/setpriv"]
        .into_iter()
        .find(|path| Path::new(path).exists());
    let Some(setpriv) = setpriv else {
        return Command::new(program);
    };
    let mut command = Command::new(setpriv);
    if let Some(user) = user {
        command
            .arg(format!("--reuid={}", user.uid))
            .arg(format!("--regid={}", user.gid))
            .arg("--clear-groups");
    }
    command.args(["--pdeathsig", "INT", "--"]).arg(program);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_of_a_version_is_its_major_one() {
        for (version, major) in [("15.18", 15), ("9.6.24", 9), ("17beta1", 0), ("", 0)] {
            let program = Program {
                kind: StoreKind::Postgres,
                path: PathBuf::new(),
                version: version.to_owned(),
            };
            assert_eq!(program.major(), major, "{version}");
        }
    }
}
