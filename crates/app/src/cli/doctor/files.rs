//! Files with keys, secrets and data: who may read them, and whether there is room for more.

use super::finding::Finding;
use crate::config::{Config, Loaded, Profile};
use bytesize::ByteSize;
use rustix::fs::{Access, access, statvfs};
use std::{
    collections::BTreeSet,
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

const PRIVATE: &str = "files.private";
/// Less free space is an error, and a warning.
const FULL: (u64, u64) = (100 << 20, 1 << 30);

pub(super) fn check(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let mut secret: BTreeSet<PathBuf> = named(config).into_iter().flatten().cloned().collect();
    secret.extend(loaded.effective.settings().iter().filter_map(|setting| setting.exposed_in()).map(Path::to_owned));
    if config.profile == Profile::Embedded {
        secret.extend(["master-key", "revolve.sqlite3", "revolve.sqlite3-wal"].map(|name| config.data_dir.join(name)));
    }
    let mut findings: Vec<Finding> = secret.iter().filter_map(|file| look(file)).collect();
    if findings.is_empty() {
        findings.push(Finding::ok(PRIVATE, "files with keys, secrets and data are for their owner alone"));
    }
    if config.profile == Profile::Embedded {
        findings.extend(data_dir(&config.data_dir));
    }
    findings
}

/// Files of secrets that the configuration names.
fn named(config: &Config) -> [Option<&PathBuf>; 8] {
    [
        config.secrets.master_key_file.as_ref(),
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
fn look(file: &Path) -> Option<Finding> {
    match std::fs::metadata(file) {
        Ok(about) if private(about.mode()) => None,
        Ok(about) => {
            let says = format!("{} can be read by others (mode {:o})", file.display(), about.mode() & 0o777);
            Some(Finding::warning(PRIVATE, says).advise(format!("chmod 600 {}", file.display())))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => Some(Finding::unknown(PRIVATE, format!("{} can't be looked at: {error}", file.display()))),
    }
}

fn private(mode: u32) -> bool {
    mode & 0o777 & !0o700 == 0
}

fn data_dir(folder: &Path) -> Vec<Finding> {
    const CHECK: &str = "files.data_dir";
    let shown = folder.display();
    if !folder.is_dir() {
        return vec![Finding::ok(CHECK, format!("{shown} is not there yet: the first start makes it"))];
    }
    let writable = match access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Finding::ok(CHECK, format!("{shown} can be written to")),
        Err(error) => Finding::error(CHECK, format!("{shown} can't be written to: {error}"))
            .advise("make the service's user its owner, or set data_dir to a folder that is"),
    };
    let room = match statvfs(folder) {
        Ok(about) => space(about.f_bavail.saturating_mul(about.f_frsize)),
        Err(error) => Finding::unknown("files.space", format!("the free space of {shown} is not known: {error}")),
    };
    vec![writable, room]
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
    use std::{fs, os::unix::fs::PermissionsExt};

    #[test]
    fn a_file_with_a_secret_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        assert_eq!(look(&file), None, "it is not there yet");
        fs::write(&file, "secret").unwrap();
        for (mode, fine) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o620, false)] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let found = look(&file);
            assert_eq!(found.is_none(), fine, "{mode:o}: {found:?}");
            assert!(found.is_none_or(|found| found.advice.is_some_and(|advice| advice.starts_with("chmod 600 /"))));
        }
    }

    #[test]
    fn a_disk_has_room() {
        for (free, level) in [(50 << 20, Level::Error), (500 << 20, Level::Warning), (5 << 30, Level::Ok)] {
            assert_eq!(space(free).level, level, "{free}");
        }
    }

    #[test]
    fn a_data_dir_may_come_with_the_first_start() {
        let folder = tempfile::tempdir().unwrap();
        let levels = |folder: &Path| data_dir(folder).iter().map(|finding| finding.level).collect::<Vec<_>>();
        assert_eq!(levels(&folder.path().join("data")), [Level::Ok]);
        assert_eq!(levels(folder.path())[0], Level::Ok);
    }
}
