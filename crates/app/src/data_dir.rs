//! The embedded profile's data directory. What is in it decides who is signed in, so only the service's user and root may
//! own it or write to it, and nobody else may put another one in its place.

use anyhow::{Context, Result, bail};
use rustix::{fs::OFlags, process::geteuid};
use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, DirBuilder, File, Metadata, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{self, Path},
};

/// How the names of the service's own files begin.
const OWN: [&str; 3] = ["master-key", "revolve.sqlite3", "signing-key."];
/// The bits of a mode with which the group or others can write.
const WRITABLE: u32 = 0o022;
/// The bit with which others can write, and the one with which they can't rename or remove what is not theirs.
const OTHERS: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Something with which another user could take the service over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Weakness {
    /// What was found.
    pub(crate) says: String,
    /// What to do about it.
    pub(crate) advice: String,
    /// Another user than this one owns it: only wrong if this one is the service's.
    pub(crate) foreign: bool,
}

/// Makes the directory, for its owner alone, if it is not there.
///
/// # Errors
/// If it can't be made, or others can change what is in it; the message says what to do.
pub(crate) fn prepare(data_dir: &Path) -> Result<()> {
    let shown = data_dir.display();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .with_context(|| format!("the data directory {shown} can't be made"))?;
    check(data_dir)
}

/// Refuses a directory that others can replace, or in which they can change what is in it; one that is not there is fine.
///
/// # Errors
/// If it is such a one, or can't be looked at; the message says what to do.
pub(crate) fn check(data_dir: &Path) -> Result<()> {
    let shown = data_dir.display();
    let found = match weaknesses(data_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.with_context(|| format!("the data directory {shown} can't be looked at"))?,
    };
    if found.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = found
        .iter()
        .map(|Weakness { says, advice, .. }| format!("{says}: {advice}"))
        .collect();
    bail!(
        "the data directory {shown} is not for the service alone\n{}",
        lines.join("\n")
    );
}

/// Opens a file for reading, but no symbolic link.
pub(crate) fn open(file: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(file)
}

/// With what other users could replace the directory, or change it or the service's own files in it.
///
/// # Errors
/// If this user may not look, or nothing is there.
pub(crate) fn weaknesses(data_dir: &Path) -> io::Result<Vec<Weakness>> {
    let me = geteuid().as_raw();
    let link = fs::symlink_metadata(data_dir)?;
    // systemd makes links for its dynamic users, as root.
    let linked = link
        .is_symlink()
        .then(|| owner(data_dir, &link, me))
        .flatten();
    let folder = fs::metadata(data_dir)?;
    if !folder.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let mut found: Vec<Weakness> = linked
        .into_iter()
        .chain(owner(data_dir, &folder, me))
        .chain(writable(data_dir, &folder, "700"))
        .collect();
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        if !is_own(&entry.file_name()) {
            continue;
        }
        let (file, about) = (entry.path(), entry.metadata()?);
        if about.is_file() {
            found.extend(owner(&file, &about, me));
            found.extend(writable(&file, &about, "600"));
        } else {
            found.push(Weakness {
                says: format!("{} is a link, or no file", file.display()),
                advice: "put the file itself there, or remove it".to_owned(),
                foreign: false,
            });
        }
    }
    found.extend(parents(data_dir)?);
    Ok(found)
}

/// With what other users could put another directory in the place of this one or of one above it. Those that are not there yet
/// will be the service's; those that this user may not look at are left out. A group may write to them: it is often the user's
/// own, and volumes come so.
///
/// # Errors
/// If they can't be looked at for another reason.
pub(crate) fn parents(data_dir: &Path) -> io::Result<Vec<Weakness>> {
    let me = geteuid().as_raw();
    let root = Path::new("/");
    // Whoever owns that can do anything in any case. In a user namespace it need not be 0.
    let trusted = [me, 0, fs::metadata(root)?.uid()];
    // Where links are, and where they lead to.
    let named = path::absolute(data_dir)?;
    let meant = fs::canonicalize(data_dir).unwrap_or_else(|_| named.clone());
    let folders: BTreeSet<&Path> = [&named, &meant]
        .into_iter()
        .flat_map(|folder| folder.ancestors().skip(1))
        .collect();
    let mut found = Vec::new();
    for folder in folders {
        let about = match fs::symlink_metadata(folder) {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied
                ) =>
            {
                continue;
            }
            about => about?,
        };
        let (shown, owner, mode) = (folder.display(), about.uid(), about.mode() & 0o7777);
        if !trusted.contains(&owner) {
            found.push(Weakness {
                says: format!("{shown}, above the data directory, belongs to the user {owner}, and this is the user {me}"),
                advice: format!(
                    "run this as the user {owner} if that is the service's; if not, set data_dir to a folder below those of root or of \
                     the user {me}"
                ),
                foreign: true,
            });
        }
        if about.is_dir() && is_open(mode) {
            found.push(Weakness {
                says: format!("everybody can rename what is in {shown}, above the data directory (mode {mode:o})"),
                advice: format!("chmod o-w {shown}, or set data_dir to a folder elsewhere"),
                foreign: false,
            });
        }
    }
    Ok(found)
}

fn is_own(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    OWN.iter().any(|own| name.starts_with(own.as_bytes()))
}

fn owner(path: &Path, about: &Metadata, me: u32) -> Option<Weakness> {
    let owner = about.uid();
    (owner != me && owner != 0).then(|| Weakness {
        says: format!(
            "{} belongs to the user {owner}, and this is the user {me}",
            path.display()
        ),
        advice: format!(
            "run this as the user {owner} if that is the service's; if not, look at what is in it, then chown {me} {}",
            path.display()
        ),
        foreign: true,
    })
}

fn writable(path: &Path, about: &Metadata, mode: &str) -> Option<Weakness> {
    let found = about.mode() & 0o7777;
    // Everybody could rename a folder below it, too.
    let below = if is_open(found) {
        ""
    } else {
        "; where the mode is not yours to choose, name a new folder below it, which the service makes for itself"
    };
    (found & WRITABLE != 0).then(|| Weakness {
        says: format!("others can write to {} (mode {found:o})", path.display()),
        advice: format!(
            "look at what is in it, then chmod {mode} {}{below}",
            path.display()
        ),
        foreign: false,
    })
}

/// Whether everybody can rename what is in a folder of this mode.
const fn is_open(mode: u32) -> bool {
    mode & (OTHERS | STICKY) == OTHERS
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_new_directory_is_for_its_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/b");
        prepare(&folder).unwrap();
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
        prepare(&folder).unwrap();
    }

    #[test]
    fn a_directory_or_file_that_others_can_write_to_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path();
        let database = folder.join("revolve.sqlite3");
        fs::write(&database, "").unwrap();
        fs::write(folder.join("notes"), "").unwrap();
        set(&folder.join("notes"), 0o666);
        for (path, mode, fine) in [
            (folder, 0o700, true),
            (folder, 0o755, true),
            (folder, 0o777, false),
            (folder, 0o770, false),
            (folder, 0o1777, false),
            (&database, 0o600, true),
            (&database, 0o644, true),
            (&database, 0o666, false),
            (&database, 0o660, false),
        ] {
            set(path, mode);
            let said = prepare(folder).err().map(|error| error.to_string());
            assert_eq!(said.is_none(), fine, "{mode:o}: {said:?}");
            assert!(said.is_none_or(|said| said.contains("chmod ")));
            set(path, 0o700);
        }
    }

    #[test]
    fn a_link_or_a_folder_in_the_place_of_a_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let elsewhere = home.path().join("elsewhere");
        fs::write(&elsewhere, "").unwrap();
        let folder = home.path().join("data");
        prepare(&folder).unwrap();
        for name in ["master-key", "revolve.sqlite3", "revolve.sqlite3.lock"] {
            let file = folder.join(name);
            symlink(&elsewhere, &file).unwrap();
            let said = prepare(&folder).unwrap_err().to_string();
            assert!(said.contains(name) && said.contains("a link"), "{said}");
            fs::remove_file(&file).unwrap();
            symlink(folder.join("nowhere"), &file).unwrap();
            assert!(prepare(&folder).is_err(), "nor one that leads nowhere");
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
            assert!(prepare(&folder).is_err());
            fs::remove_dir(&file).unwrap();
        }
        prepare(&folder).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_replace_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let above = home.path().join("above");
        let folder = above.join("inner/data");
        prepare(&folder).unwrap();
        let link = home.path().join("link");
        symlink(&folder, &link).unwrap();
        for (mode, fine) in [
            (0o755, true),
            (0o775, true),
            (0o1777, true),
            (0o777, false),
            (0o703, false),
        ] {
            set(&above, mode);
            for named in [&folder, &link] {
                let said = prepare(named).err().map(|error| error.to_string());
                assert_eq!(said.is_none(), fine, "{mode:o}: {said:?}");
                let advice = format!("chmod o-w {}", above.display());
                assert!(said.is_none_or(|said| said.contains(&advice)));
            }
            let new = parents(&above.join("new/data")).unwrap();
            assert_eq!(new.is_empty(), fine, "before the first start: {new:?}");
        }
        set(&above, 0o700);
        // The link can be replaced, but not what it leads to.
        let open = home.path().join("open");
        fs::create_dir(&open).unwrap();
        symlink(&folder, open.join("link")).unwrap();
        prepare(&open.join("link")).unwrap();
        set(&open, 0o777);
        assert!(prepare(&open.join("link")).is_err());
    }

    #[test]
    fn what_another_user_owns_is_refused() {
        if !geteuid().is_root() {
            return;
        }
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("data");
        prepare(&folder).unwrap();
        let key = folder.join("master-key");
        fs::write(&key, "").unwrap();
        for path in [&folder, &key] {
            std::os::unix::fs::chown(path, Some(65_534), None).unwrap();
            let found = weaknesses(&folder).unwrap();
            assert!(found[0].foreign && found.len() == 1, "{found:?}");
            assert!(prepare(&folder).unwrap_err().to_string().contains("65534"));
            std::os::unix::fs::chown(path, Some(0), None).unwrap();
        }
        // Nor what another user can replace.
        std::os::unix::fs::chown(home.path(), Some(65_534), None).unwrap();
        let found = weaknesses(&folder).unwrap();
        assert!(found[0].foreign && found.len() == 1, "{found:?}");
        assert!(prepare(&folder).unwrap_err().to_string().contains("65534"));
        std::os::unix::fs::chown(home.path(), Some(0), None).unwrap();
        // Nor through a link that another user made.
        let link = home.path().join("link");
        symlink(&folder, &link).unwrap();
        prepare(&link).unwrap();
        std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
        assert!(prepare(&link).is_err());
    }
}
