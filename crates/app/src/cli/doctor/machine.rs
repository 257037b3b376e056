//! What this machine lets the process have: open files, and memory for hashing. The shell that runs the check may have other limits than
//! the service: run it as the service is run.

use super::finding::Finding;
use crate::{composition::settings, config::Config};
use bytesize::ByteSize;
use revolve_adapters::argon2::memory_limit;

pub(super) fn check(config: &Config) -> Vec<Finding> {
    let open = rlimit::Resource::NOFILE
        .get()
        .map(|(_, hard)| hard)
        .map_err(|error| error.to_string());
    let files = match open {
        Ok(hard) => files(
            hard,
            revolve_listener::wanted_files(config.http.max_connections),
        ),
        Err(why) => Finding::unknown(
            "machine.files",
            format!("the limit of open files is not known: {why}"),
        ),
    };
    vec![
        files,
        hashing(
            settings::hash_cost(&config.hashing).bytes(),
            settings::hash_budget(&config.hashing),
            memory_limit(),
        ),
    ]
}

/// The service raises the soft limit by itself; the hard one is the system's.
fn files(hard: u64, wanted: u64) -> Finding {
    const CHECK: &str = "machine.files";
    let says = format!("{hard} files may be open, and http.max_connections takes up to {wanted}");
    if hard >= wanted {
        Finding::ok(CHECK, says)
    } else {
        Finding::warning(CHECK, says)
            .advise("raise `ulimit -Hn` (systemd: LimitNOFILE=), or lower http.max_connections")
    }
}

fn hashing(hash: u64, budget: u64, memory: Option<u64>) -> Finding {
    const CHECK: &str = "machine.hashing";
    let at_once = budget / hash.max(1);
    let says = format!(
        "a hash takes {}, the budget is {}: {at_once} at once",
        ByteSize(hash),
        ByteSize(budget)
    );
    let Some(memory) = memory else {
        return Finding::ok(CHECK, says);
    };
    let says = format!("{says}; there are {} of memory", ByteSize(memory));
    if budget > memory / 10 * 9 {
        let advice = "lower hashing.memory_budget: a flood of sign-ins would end the process for want of memory";
        Finding::error(CHECK, says).advise(advice)
    } else if budget > memory / 2 {
        Finding::warning(CHECK, says)
            .advise("leave half of the memory to everything else: lower hashing.memory_budget")
    } else {
        Finding::ok(CHECK, says)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::finding::Level, *};

    #[test]
    fn files_are_enough_for_connections() {
        for (hard, level) in [
            (25_512, Level::Ok),
            (u64::MAX, Level::Ok),
            (25_511, Level::Warning),
            (1024, Level::Warning),
        ] {
            assert_eq!(files(hard, 25_512).level, level, "{hard}");
        }
    }

    #[test]
    fn hashing_leaves_memory_to_others() {
        const MIB: u64 = 1 << 20;
        for (budget, memory, level) in [
            (256, Some(1024), Level::Ok),
            (256, None, Level::Ok),
            (512, Some(1024), Level::Ok),
            (600, Some(1024), Level::Warning),
            (1000, Some(1024), Level::Error),
        ] {
            let finding = hashing(19 * MIB, budget * MIB, memory.map(|memory| memory * MIB));
            assert_eq!(finding.level, level, "{budget} of {memory:?}: {finding:?}");
        }
    }
}
