//! Files with keys, secrets and data: who may read them, and whether there is room for more.

use super::finding::{AS_USER, Finding};
use crate::{
    config::{Config, Loaded, Profile},
    data_dir::{self, Weakness},
};
use bytesize::ByteSize;
use rustix::{
    fs::{Access, access, statvfs},
    process::geteuid,
};
use std::{
    collections::BTreeSet,
    env, fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

const PRIVATE: &str = "files.private";
/// Where container engines put secrets, for the service alone, with whatever mode.
const SECRETS: &str = "/run/secrets";
/// Bits of a mode.
const ALL_BUT_OWNER: u32 = 0o077;
/// Less free space is an error, and a warning.
const FULL: (u64, u64) = (100 << 20, 1 << 30);

pub(super) fn check(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut secret: BTreeSet<PathBuf> = named(config).into_iter().flatten().cloned().collect();
    secret.extend(
        loaded
            .effective
            .settings()
            .iter()
            .filter_map(|setting| setting.exposed_in())
            .map(Path::to_owned),
    );
    if config.profile == Profile::Embedded {
        secret.extend(
            ["master-key", "revolve.sqlite3", "revolve.sqlite3-wal"]
                .map(|name| config.data_dir.join(name)),
        );
    }
    // systemd.exec(5): a folder for this unit alone.
    let handed: Vec<PathBuf> = [
        Some(PathBuf::from(SECRETS)),
        // An empty path would be the beginning of every other.
        env::var_os("CREDENTIALS_DIRECTORY")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut findings: Vec<Finding> = secret
        .iter()
        .filter_map(|file| look(file, &handed))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::ok(
            PRIVATE,
            "files with keys, secrets and data are for the service alone",
        ));
    }
    if config.profile == Profile::Embedded {
        findings.extend(folder(&config.data_dir));
    }
    findings
}

/// Files of secrets that the configuration names.
fn named(config: &Config) -> [Option<&PathBuf>; 9] {
    [
        config.secrets.master_key_file.as_ref(),
        config.secrets.previous_master_keys_file.as_ref(),
        config.tokens.signing_key_file.as_ref(),
        config.http.tls.private_key_file.as_ref(),
        config.postgres.url_file.as_ref(),
        config.postgres.client_key_file.as_ref(),
        config.redis.url_file.as_ref(),
        config.redis.client_key_file.as_ref(),
        config.redis.sentinel.password_file.as_ref(),
    ]
}

/// `None` if all is well, or the file is not there yet.
fn look(file: &Path, handed: &[PathBuf]) -> Option<Finding> {
    let shown = file.display();
    let about = match fs::metadata(file) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            return Some(
                Finding::unknown(PRIVATE, format!("{shown} can't be looked at: {error}"))
                    .advise(AS_USER),
            );
        }
    };
    let (owner, me) = (about.uid(), geteuid().as_raw());
    if is_open(about.mode()) && !is_sheltered(file, handed) {
        let says = format!(
            "others can get at {shown} (mode {:o}, its owner is the user {owner})",
            about.mode() & 0o777
        );
        return Some(Finding::warning(PRIVATE, says).advise(close(file, owner, me)));
    }
    if access(file, Access::READ_OK).is_err() {
        let says = format!("{shown} can't be read by this user ({me}; its owner is {owner})");
        return Some(
            Finding::unknown(PRIVATE, says)
                .advise(format!("{AS_USER}; if it is that one: chown it")),
        );
    }
    None
}

/// Whether users outside the group can access the file, or the group can write to it. A group that may only read it was made for that.
fn is_open(mode: u32) -> bool {
    mode & 0o027 != 0
}

/// Whether other users can't reach the file: it was handed to the service alone, or only the owner of its folder can enter that.
fn is_sheltered(file: &Path, handed: &[PathBuf]) -> bool {
    let real = fs::canonicalize(file);
    let file = real.as_deref().unwrap_or(file);
    let closed =
        |folder: &Path| fs::metadata(folder).is_ok_and(|about| about.mode() & ALL_BUT_OWNER == 0);
    handed.iter().any(|folder| file.starts_with(folder)) || file.parent().is_some_and(closed)
}

/// The mode alone would lock the service out of a file that is not its own.
fn close(file: &Path, owner: u32, me: u32) -> String {
    let shown = file.display();
    if owner == me {
        format!(
            "chmod 600 {shown}; if the service runs as another user than {me}, chown it to that one before"
        )
    } else {
        format!(
            "make the service's user its owner, then close it: chown USER {shown} && chmod 600 {shown}"
        )
    }
}

const DATA_DIR: &str = "files.data_dir";

fn folder(folder: &Path) -> Vec<Finding> {
    let shown = folder.display();
    let about = match fs::metadata(folder) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let above = data_dir::parents(folder).unwrap_or_default();
            let new = Finding::ok(
                DATA_DIR,
                format!("{shown} is not there yet: the first start makes it"),
            );
            return above.into_iter().map(weak).chain([new]).collect();
        }
        Err(error) => {
            return vec![
                Finding::unknown(DATA_DIR, format!("{shown} can't be looked at: {error}"))
                    .advise(AS_USER),
            ];
        }
    };
    if !about.is_dir() {
        return vec![
            Finding::error(DATA_DIR, format!("{shown} is no folder"))
                .advise("set data_dir to a folder of the service's user"),
        ];
    }
    // A folder that this user may not read is reported below, as one that it can't write to.
    let alone: Vec<Finding> = data_dir::weaknesses(folder)
        .unwrap_or_default()
        .into_iter()
        .map(weak)
        .collect();
    let writable = match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok(DATA_DIR, format!("{shown} can be written to")),
        Err(error) => unwritable(
            format!("{shown} can't be written to: {error}"),
            about.uid(),
            about.mode(),
            geteuid().as_raw(),
        ),
    };
    let room = match statvfs(folder) {
        Ok(about) => space(about.f_bavail.saturating_mul(about.f_frsize)),
        Err(error) => Finding::unknown(
            "files.space",
            format!("the free space of {shown} is not known: {error}"),
        ),
    };
    alone.into_iter().chain([writable, room]).collect()
}

/// The service refuses to start with such a directory. If another user owns it, that may be the service's user.
fn weak(found: Weakness) -> Finding {
    let Weakness {
        says,
        advice,
        foreign,
    } = found;
    if foreign {
        Finding::unknown(DATA_DIR, says).advise(advice)
    } else {
        Finding::error(DATA_DIR, says).advise(advice)
    }
}

/// If another user owns the folder, it may be in order, and this command may run as the wrong user.
fn unwritable(says: String, owner: u32, mode: u32, me: u32) -> Finding {
    const OWN: &str = "make the service's user its owner, or set data_dir to a folder that is";
    // The service makes its folder with mode 0700, so a folder of root's that others can enter was made by hand.
    if owner == me || owner == 0 && mode & ALL_BUT_OWNER != 0 {
        return Finding::error(DATA_DIR, says).advise(OWN);
    }
    Finding::unknown(
        DATA_DIR,
        format!("{says} (this is the user {me}, its owner is {owner})"),
    )
    .advise(format!("{AS_USER}; if it is that one: {OWN}"))
}

fn space(free: u64) -> Finding {
    const CHECK: &str = "files.space";
    let says = format!("{} are free for the database", ByteSize(free));
    let advice = "make room: when the disk is full nobody can sign in, refresh or sign out";
    match free {
        free if free < FULL.0 => Finding::error(CHECK, says).advise(advice),
        free if free < FULL.1 => Finding::warning(CHECK, says).advise(advice),
        _ => Finding::ok(CHECK, says),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};
    use std::os::unix::fs::PermissionsExt;

    /// A file in a folder that anybody can enter.
    fn file(folder: &Path) -> PathBuf {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
        let file = folder.join("key");
        fs::write(&file, "secret").unwrap();
        file
    }

    fn set(file: &Path, mode: u32) {
        fs::set_permissions(file, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_with_a_secret_is_not_for_everybody() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            look(&folder.path().join("key"), &[]),
            None,
            "it is not there yet"
        );
        let file = file(folder.path());
        for (mode, fine) in [
            (0o600, true),
            (0o400, true),
            (0o640, true),
            (0o644, false),
            (0o604, false),
            (0o620, false),
        ] {
            set(&file, mode);
            let found = look(&file, &[]);
            assert_eq!(found.is_none(), fine, "{mode:o}: {found:?}");
            assert!(
                found.is_none_or(|found| found.level == Level::Warning && found.advice.is_some())
            );
        }
    }

    /// As `cargo xtask secrets` makes them, and as engines hand them to containers: closing them would lock the service out.
    #[test]
    fn what_nobody_else_can_reach_may_have_any_mode() {
        let folder = tempfile::tempdir().unwrap();
        let file = file(folder.path());
        set(&file, 0o644);
        assert!(look(&file, &[]).is_some());
        assert_eq!(
            look(&file, &[folder.path().canonicalize().unwrap()]),
            None,
            "it was handed to the service alone"
        );
        set(folder.path(), 0o700);
        assert_eq!(look(&file, &[]), None, "nobody else can enter the folder");
    }

    #[test]
    fn nobody_is_told_to_lock_the_service_out() {
        let file = Path::new("/secrets/key");
        assert!(
            close(file, 1000, 1000)
                .starts_with("chmod 600 /secrets/key; if the service runs as another user")
        );
        assert!(close(file, 0, 1000).contains("chown USER /secrets/key && chmod 600"));
    }

    #[test]
    fn a_disk_has_room() {
        for (free, level) in [
            (50 << 20, Level::Error),
            (500 << 20, Level::Warning),
            (5 << 30, Level::Ok),
        ] {
            assert_eq!(space(free).level, level, "{free}");
        }
    }

    #[test]
    fn a_data_dir_may_come_with_the_first_start() {
        let folder = tempfile::tempdir().unwrap();
        let levels = |folder: &Path| {
            super::folder(folder)
                .iter()
                .map(|finding| finding.level)
                .collect::<Vec<_>>()
        };
        let new = folder.path().join("data");
        assert_eq!(levels(&new), [Level::Ok]);
        assert_eq!(levels(folder.path())[0], Level::Ok);
        set(folder.path(), 0o777);
        assert_eq!(levels(&new), [Level::Error, Level::Ok]);
        fs::create_dir(&new).unwrap();
        set(&new, 0o700);
        assert_eq!(levels(&new)[..2], [Level::Error, Level::Ok]);
    }

    #[test]
    fn a_folder_of_another_user_is_not_condemned() {
        for (owner, mode, level) in [
            (1000, 0o500, Level::Error),
            (0, 0o755, Level::Error),
            (0, 0o700, Level::Unknown),
            (999, 0o755, Level::Unknown),
        ] {
            let finding = unwritable("it can't".to_owned(), owner, mode, 1000);
            assert!(
                finding.level == level && finding.advice.is_some(),
                "{owner} {mode:o}: {finding:?}"
            );
        }
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            super::folder(&file(folder.path()))[0].level,
            Level::Error,
            "it is no folder"
        );
    }
}
