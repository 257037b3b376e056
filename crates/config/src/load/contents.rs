//! Mistakes that show only when secrets are parsed and the files that are named are read.

use super::{Check, Given, Value};
use crate::{Config, ConfigError, Mistake, Profile, document::known};
use std::collections::BTreeMap;

/// Every mistake.
pub(super) fn check(
    config: &Config,
    given: &BTreeMap<String, Given>,
    checks: &[Check],
) -> Vec<Mistake> {
    let mut mistakes = files(config, given);
    for mistake in checks
        .iter()
        .filter_map(|check| check(config).err())
        .flat_map(ConfigError::into_mistakes)
    {
        let known = |earlier: &Mistake| {
            earlier.key.trim_end_matches("_file") == mistake.key.trim_end_matches("_file")
        };
        if !mistakes.iter().any(known) {
            mistakes.push(mistake);
        }
    }
    mistakes
}

/// Whatever is given as a file must be readable, and not be given as it is, too. What the profile does not use may be
/// there for another one.
fn files(config: &Config, given: &BTreeMap<String, Given>) -> Vec<Mistake> {
    let unused = |key: &str| {
        config.profile == Profile::Embedded
            && (key.starts_with("redis.") || key.starts_with("postgres."))
    };
    let mut mistakes = Vec::new();
    for key in known().all() {
        let (Some(value), Some(file)) = (key.path.strip_suffix("_file"), given.get(&key.path))
        else {
            continue;
        };
        if given.contains_key(value) {
            mistakes.push(Mistake::new(
                Some(file.origin.clone()),
                key.path.as_str(),
                format!("give either {value} or {}, not both", key.path),
            ));
        } else if let (Value::Text(path), false) = (&file.value, unused(&key.path))
            && let Err(error) = std::fs::File::open(path)
                .and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink()))
        {
            mistakes.push(Mistake::new(
                Some(file.origin.clone()),
                key.path.as_str(),
                format!("{path} can't be read: {error}"),
            ));
        }
    }
    mistakes
}
