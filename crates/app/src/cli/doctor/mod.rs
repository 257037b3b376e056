//! `revolve doctor`: checks everything that the service needs, reports what it found and what to do about it, and changes nothing: no
//! table is migrated, no key and no file is made. So stores are checked with their adapters' `inspect`, never opened as the
//! service does. One file per group of checks; what judges is apart from what looks, so that it can be
//! tested without a store.

mod certificate;
mod clock;
mod feed;
mod files;
mod finding;
mod keys;
mod machine;
mod mail;
mod network;
mod outbox;
mod policy;
mod postgres;
mod redis;
mod sqlite;
mod webhooks;

use super::{
    Format,
    answer::{self, CommandOutput},
    block_on,
};
use crate::{
    config::{Config, Loaded, Profile},
    load,
};
use anyhow::{Result, bail};
use finding::{Finding, Level};
use revolve_adapters::system::SystemClock;
use revolve_domain::ports::Clock;
use serde::Serialize;
use std::{fmt::Write, path::Path};

#[derive(Serialize)]
struct DoctorReport {
    ok: bool,
    findings: Vec<Finding>,
}

impl DoctorReport {
    fn new(findings: Vec<Finding>) -> Self {
        Self {
            ok: findings.iter().all(|finding| finding.level != Level::Error),
            findings,
        }
    }

    fn count(&self, level: Level) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }
}

impl CommandOutput for DoctorReport {
    fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.findings {
            // Writing to a string does not fail.
            let _ = writeln!(
                text,
                "{:8} {:22} {}",
                finding.level.word(),
                finding.check,
                finding.says
            );
            if let Some(advice) = &finding.advice {
                let _ = writeln!(text, "{:31} → {advice}", "");
            }
        }
        let counts = [Level::Ok, Level::Warning, Level::Error, Level::Unknown]
            .map(|level| (self.count(level), level.plural()));
        let counts: Vec<String> = counts
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let _ = writeln!(text, "{}", counts.join(", "));
        text
    }
}

pub(super) fn run(file: Option<&Path>, format: Format) -> Result<()> {
    let loaded = match load(file) {
        Ok(loaded) => loaded,
        Err(error) => {
            if format.json {
                let wrong = error
                    .mistakes()
                    .iter()
                    .map(|mistake| Finding::error("configuration", mistake.to_string()));
                answer::print(&DoctorReport::new(wrong.collect()), format)?;
            }
            return Err(error.into());
        }
    };
    let report = DoctorReport::new(block_on(async move { Ok(examine(&loaded).await) })?);
    answer::print(&report, format)?;
    match report.count(Level::Error) {
        0 => Ok(()),
        1 => bail!("1 check found an error"),
        errors => bail!("{errors} checks found an error"),
    }
}

async fn examine(loaded: &Loaded) -> Vec<Finding> {
    let config: &Config = &loaded.config;
    let mut findings = vec![Finding::ok("configuration", "it is right")];
    findings.extend(policy::check(config));
    findings.extend(network::check(config));
    findings.extend(certificate::check(&config.http.tls, SystemClock.now()));
    findings.extend(files::check(loaded));
    findings.extend(machine::check(config));
    findings.extend(mail::check(config).await);
    let keys = match config.profile {
        Profile::Embedded => sqlite::check(config, &mut findings).await,
        Profile::Server => {
            let keys = postgres::check(config, &mut findings).await;
            redis::check(config, &mut findings).await;
            keys
        }
    };
    findings.extend(keys::check(config, keys));
    findings
}
