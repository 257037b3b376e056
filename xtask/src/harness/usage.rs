//! CPU time and memory of processes, from `/proc` (Linux).

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};

/// Seconds of CPU time of a process and its children, including those that have ended, in steps of 10 ms.
pub(crate) fn cpu(pid: u32) -> Result<f64> {
    /// `USER_HZ`, on every architecture of today.
    const TICKS: f64 = 100.0;
    let mut ticks = 0;
    for entry in fs::read_dir("/proc").context("this needs Linux")?.flatten() {
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        let Some(process) = parse(&stat) else {
            continue;
        };
        if process.id == pid {
            ticks += process.own + process.ended;
        } else if process.parent == pid {
            ticks += process.own;
        }
    }
    let ticks = u32::try_from(ticks).context("a process of years")?;
    Ok(f64::from(ticks) / TICKS)
}

/// A field of a process's `status` in bytes: `VmRSS`, `RssAnon` or `RssFile` for parts of it, `VmHWM` for the peak.
pub(crate) fn memory(pid: u32, name: &str) -> Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    let fields: BTreeMap<_, _> = status
        .lines()
        .filter_map(|line| line.split_once(':'))
        .collect();
    let kib = fields
        .get(name)
        .and_then(|value| value.trim().strip_suffix("kB"))
        .context("the system does not tell")?;
    Ok(kib.trim().parse::<u64>()? * 1024)
}

/// CPU time in ticks.
#[derive(Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    parent: u32,
    own: u64,
    /// Of its children that have ended.
    ended: u64,
}

fn parse(stat: &str) -> Option<Process> {
    // The name is in parentheses and may contain anything.
    let (head, tail) = stat.rsplit_once(')')?;
    let id = head.split(' ').next()?.parse().ok()?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3)?.parse::<u64>().ok();
    let parent = u32::try_from(field(4)?).ok()?;
    Some(Process {
        id,
        parent,
        own: field(14)? + field(15)?,
        ended: field(16)? + field(17)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_anything() {
        let stat = "17 (a) b (c) S 4 17 17 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 5 6 7";
        assert_eq!(
            parse(stat),
            Some(Process {
                id: 17,
                parent: 4,
                own: 30,
                ended: 70
            })
        );
        assert_eq!(parse("nothing"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_takes_something() {
        let pid = std::process::id();
        assert!(
            memory(pid, "VmRSS").unwrap() > 0
                && memory(pid, "VmHWM").unwrap() >= memory(pid, "VmRSS").unwrap() / 2
        );
        assert!(memory(pid, "RssAnon").unwrap() > 0 && memory(pid, "RssFile").unwrap() > 0);
        let before = cpu(pid).unwrap();
        while cpu(pid).unwrap() <= before {}
    }
}
