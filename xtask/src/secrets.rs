//! `cargo xtask secrets`: the passwords and keys for docker-compose.yml. Existing ones are never replaced: a new master key would sign all
//! users out.

use std::{
    fs,
    io::{ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::harness::random;

/// Generates what is missing in `secrets/`, and the `.env` that tells compose where it is.
pub(crate) fn run(root: &Path) -> Result<()> {
    let folder = root.join("secrets");
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .with_context(|| format!("could not make {}", folder.display()))?;
    let store = Folder(folder);
    let postgres = store.ensure("postgres_password", random::key)?;
    // Without TLS: only the stores and the service are in compose's network.
    store.ensure("postgres_url", || {
        Ok(format!(
            "postgres://revolve:{postgres}@postgres:5432/revolve?sslmode=disable"
        ))
    })?;
    let redis = store.ensure("redis_password", random::key)?;
    store.ensure("redis_url", || Ok(format!("redis://:{redis}@redis:6379/")))?;
    // In a file, since an argument of the server would show in lists of processes.
    store.ensure("redis.conf", || Ok(format!("requirepass {redis}\n")))?;
    store.ensure("master_key", random::key)?;
    point_compose_at_it(&root.join(".env"))?;
    eprintln!(
        "secrets are in {}; keep a copy of master_key in a safe place",
        store.0.display()
    );
    Ok(())
}

struct Folder(PathBuf);

impl Folder {
    /// The secret's text, generated if it is missing. Its file is world-readable inside a folder that only its owner can enter, so that a
    /// container's user can read the mounted file, and other users of this machine can't reach it.
    fn ensure(&self, name: &str, make: impl FnOnce() -> Result<String>) -> Result<String> {
        let path = self.0.join(name);
        match fs::read_to_string(&path) {
            Ok(text) => {
                eprintln!("kept secrets/{name}");
                return Ok(text);
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("could not read {}", path.display()));
            }
        }
        let text = make()?;
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&path)?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("could not write {}", path.display()))?;
        eprintln!("made secrets/{name}");
        Ok(text)
    }
}

fn point_compose_at_it(path: &Path) -> Result<()> {
    let present = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(error).with_context(|| format!("could not read {}", path.display()));
        }
    };
    if present
        .lines()
        .any(|line| line.starts_with("REVOLVE_SECRETS_DIR="))
    {
        return Ok(());
    }
    let separator = if present.is_empty() || present.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let mut file = fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{separator}REVOLVE_SECRETS_DIR=./secrets")
        .with_context(|| format!("could not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn a_second_run_changes_nothing() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join(".env"), "OTHER=1").unwrap();
        run(root.path()).unwrap();
        let all = |name: &str| fs::read_to_string(root.path().join(name)).unwrap();
        let before = [
            all("secrets/master_key"),
            all("secrets/redis_url"),
            all(".env"),
        ];
        run(root.path()).unwrap();
        assert_eq!(
            before,
            [
                all("secrets/master_key"),
                all("secrets/redis_url"),
                all(".env")
            ]
        );
        assert_eq!(before[2], "OTHER=1\nREVOLVE_SECRETS_DIR=./secrets\n");
        assert!(before[1].contains(&all("secrets/redis_password")));
        assert_eq!(URL_SAFE_NO_PAD.decode(&before[0]).unwrap().len(), 32);
    }
}
