//! The embedded profile's own master key: made on first start, in the data directory, readable by its owner alone.

use crate::data_dir;
use anyhow::{Context, Result, bail};
use revolve_adapters::jose::{Algorithm, IdKey, MasterKey};
use revolve_domain::{keys::StoredKey, ports::Entropy};
use secrecy::{ExposeSecret, SecretString};
use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// The master key in the data directory; made if it is not there.
pub(crate) fn master_key(data_dir: &Path, entropy: &dyn Entropy) -> Result<SecretString> {
    read_or_make(&data_dir.join("master-key"), || {
        Ok(MasterKey::encode([entropy.bytes(), entropy.bytes()]))
    })
}

/// The private key that signed ID tokens before keys were kept in the user database.
pub(crate) struct Legacy {
    file: PathBuf,
    id: String,
    /// The key in PEM form.
    pub(crate) pem: SecretString,
}

impl Legacy {
    /// The key for the algorithm in the data directory, if there is one.
    pub(crate) fn find(data_dir: &Path, algorithm: Algorithm) -> Result<Option<Self>> {
        let file = data_dir.join(format!(
            "signing-key.{}.pem",
            algorithm.name().to_lowercase()
        ));
        let pem: SecretString = match data_dir::open(&file).and_then(read) {
            Ok(pem) => pem,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("{} can't be read", file.display()));
            }
        };
        let id = IdKey::from_pem(algorithm, &pem)
            .with_context(|| file.display().to_string())?
            .id()
            .to_owned();
        Ok(Some(Self { file, id, pem }))
    }

    /// Once the user database has the key, sealed, it must not lie about in the clear any more.
    pub(crate) fn settle(self, stored: &[StoredKey]) -> Result<()> {
        if stored.iter().all(|key| key.id.as_str() != self.id) {
            tracing::warn!(file = %self.file.display(), "this key is not used: the user database has others");
            return Ok(());
        }
        tracing::info!(key = self.id, file = %self.file.display(), "the key is in the user database now; its file is removed");
        match fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("{} can't be removed", self.file.display()))
            }
            _ => sync_folder(&self.file),
        }
    }
}

/// Two processes that start at once must agree: the file appears whole and only once.
fn read_or_make(file: &Path, make: impl FnOnce() -> Result<SecretString>) -> Result<SecretString> {
    if !file
        .try_exists()
        .with_context(|| format!("{} can't be looked at", file.display()))?
    {
        let secret = make()?;
        // Two containers over one volume may have the same process id.
        let draft = file.with_extension(format!("draft-{}", uuid::Uuid::now_v7().simple()));
        write(&draft, &secret).with_context(|| format!("{} can't be written", draft.display()))?;
        // A link fails if the other process was first; then its file counts.
        let linked = fs::hard_link(&draft, file);
        fs::remove_file(&draft).with_context(|| format!("{} can't be removed", draft.display()))?;
        if let Err(error) = linked
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(error).with_context(|| format!("{} can't be made", file.display()));
        }
        sync_folder(file)?;
    }
    let opened =
        data_dir::open(file).with_context(|| format!("{} can't be opened", file.display()))?;
    let mode = opened
        .metadata()
        .with_context(|| format!("{} can't be looked at", file.display()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        bail!(
            "{} can be read by others (mode {:o}); run: chmod 600 {}",
            file.display(),
            mode & 0o777,
            file.display()
        );
    }
    read(opened).with_context(|| format!("{} can't be read", file.display()))
}

fn read(mut file: File) -> std::io::Result<SecretString> {
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text.into())
}

fn write(file: &Path, secret: &SecretString) -> std::io::Result<()> {
    let mut draft = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)?;
    draft.write_all(secret.expose_secret().as_bytes())?;
    draft.sync_all()
}

/// The name must survive a crash as well as the bytes.
fn sync_folder(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .with_context(|| format!("{} can't be synced", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use revolve_adapters::system::SystemEntropy;

    #[test]
    fn keys_are_made_once_and_for_their_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("a/b");
        data_dir::prepare(&dir).unwrap();
        let first = master_key(&dir, &SystemEntropy).unwrap();
        assert_eq!(
            first.expose_secret(),
            master_key(&dir, &SystemEntropy).unwrap().expose_secret()
        );
        let file = dir.join("master-key");
        assert_eq!(
            fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(
            fs::read_dir(&dir).unwrap().count(),
            1,
            "no draft stays behind"
        );

        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(
            master_key(&dir, &SystemEntropy)
                .unwrap_err()
                .to_string()
                .contains("chmod 600")
        );
    }
}
