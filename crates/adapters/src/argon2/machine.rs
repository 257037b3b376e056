//! The memory that this process may use.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The least of the machine's memory and the limits of this process's control groups and their parents (v2 `memory.max`, v1
/// `memory.limit_in_bytes`), in bytes. `None` on systems other than Linux.
pub fn memory_limit() -> Option<u64> {
    limit_below(Path::new("/"))
}

fn limit_below(root: &Path) -> Option<u64> {
    let machine = fs::read_to_string(root.join("proc/meminfo"))
        .ok()
        .and_then(|text| total(&text));
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
    let limits = groups
        .lines()
        .filter_map(|line| files(root, line))
        .flatten()
        .filter_map(|file| number(&file));
    limits.chain(machine).min()
}

/// `MemTotal:       24576000 kB`
fn total(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim()
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// The limit files of a group and its parents, for a line of `/proc/self/cgroup`: `id:controllers:path`, without controllers in version 2.
/// A container may see the group's path from outside, while its files are at the root: missing files are skipped.
fn files(root: &Path, line: &str) -> Option<Vec<PathBuf>> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let (mount, file) = match controllers {
        "" => ("sys/fs/cgroup", "memory.max"),
        controllers
            if controllers
                .split(',')
                .any(|controller| controller == "memory") =>
        {
            ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
        }
        _ => return None,
    };
    let mount = root.join(mount);
    Some(
        Path::new(path.trim_start_matches('/'))
            .ancestors()
            .map(|group| mount.join(group).join(file))
            .collect(),
    )
}

/// `None` for `max`.
fn number(file: &Path) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn machine(files: &[(&str, &str)]) -> Option<u64> {
        let root = TempDir::new().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        limit_below(root.path())
    }

    const MEMINFO: (&str, &str) = (
        "proc/meminfo",
        "MemTotal:       1024 kB\nMemFree:        1 kB\n",
    );

    #[test]
    fn without_limits_it_is_the_machines() {
        assert_eq!(machine(&[]), None);
        assert_eq!(machine(&[MEMINFO]), Some(1024 * 1024));
        let none = [
            MEMINFO,
            ("proc/self/cgroup", "0::/a\n"),
            ("sys/fs/cgroup/a/memory.max", "max\n"),
        ];
        assert_eq!(machine(&none), Some(1024 * 1024));
        let none = [
            MEMINFO,
            ("proc/self/cgroup", "4:memory:/\n"),
            (
                "sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712\n",
            ),
        ];
        assert_eq!(machine(&none), Some(1024 * 1024));
    }

    #[test]
    fn the_least_limit_of_the_groups_counts() {
        let v2 = ("proc/self/cgroup", "0::/pod/service\n");
        let outer = ("sys/fs/cgroup/pod/memory.max", "5000\n");
        assert_eq!(
            machine(&[
                MEMINFO,
                v2,
                ("sys/fs/cgroup/pod/service/memory.max", "7000\n"),
                outer
            ]),
            Some(5000)
        );
        assert_eq!(
            machine(&[
                MEMINFO,
                v2,
                ("sys/fs/cgroup/pod/service/memory.max", "4000\n"),
                outer
            ]),
            Some(4000)
        );
        let v1 = ("proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/docker/1\n");
        let inside = ("sys/fs/cgroup/memory/memory.limit_in_bytes", "3000\n");
        assert_eq!(
            machine(&[MEMINFO, v1, inside]),
            Some(3000),
            "a container sees its own group as the root"
        );
    }

    #[test]
    fn this_machine_has_memory() {
        assert!(!cfg!(target_os = "linux") || memory_limit().is_some_and(|bytes| bytes > 1 << 20));
    }
}
