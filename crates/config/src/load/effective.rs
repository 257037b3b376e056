//! The effective configuration, value by value, without its secrets: for `revolve config show`, and to find out what a new
//! one changes.

use super::{
    super::document::{Key, Section, known, literal},
    Given, Origin,
};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, hash_map::RandomState},
    fmt::Write,
    hash::BuildHasher,
    path::Path,
    sync::LazyLock,
};

/// What is shown of a secret.
const MASK: &str = "********";

/// What holds for a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The key with its sections: `tokens.issuer`.
    pub key: String,
    /// Its value; a mask for a secret, nothing if it is not set.
    pub value: Option<Value>,
    source: Origin,
    /// The variable that would set it, if it is there but empty.
    #[serde(rename = "emptyVariable", skip_serializing_if = "Option::is_none")]
    empty: Option<String>,
    /// Tells a new secret from the old one, in this process only.
    #[serde(skip)]
    secret: Option<u64>,
    #[serde(skip)]
    reloads: bool,
}

/// What the configuration says.
#[derive(Clone, Debug)]
pub struct Effective(Vec<Setting>);

/// A key whose value is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key with its sections.
    pub key: String,
    /// Whether it takes effect without a restart.
    pub reloads: bool,
}

impl Setting {
    /// The configuration file that a secret stands in, if it does.
    pub fn exposed_in(&self) -> Option<&Path> {
        match (&self.source, self.secret) {
            (Origin::File { file, .. }, Some(_)) => Some(file),
            _ => None,
        }
    }
}

impl Effective {
    pub(super) fn new(
        section: &Section,
        given: &BTreeMap<String, Given>,
        empty: &BTreeMap<String, String>,
    ) -> Self {
        Self(
            section
                .all()
                .into_iter()
                .map(|key| setting(key, given.get(&key.path), empty.get(&key.path)))
                .collect(),
        )
    }

    /// Every key, in the order of the reference.
    pub fn settings(&self) -> &[Setting] {
        &self.0
    }

    /// What is different in the new one.
    pub fn changes(&self, new: &Self) -> Vec<Change> {
        let pairs = self.0.iter().zip(&new.0);
        let changed =
            pairs.filter(|(old, new)| (&old.value, old.secret) != (&new.value, new.secret));
        changed
            .map(|(_, new)| Change {
                key: new.key.clone(),
                reloads: new.reloads,
            })
            .collect()
    }

    /// Takes over what takes effect without a restart; the rest still runs as it was started.
    pub fn take(&mut self, new: &Self) {
        for (old, new) in self.0.iter_mut().zip(&new.0).filter(|(_, new)| new.reloads) {
            old.clone_from(new);
        }
    }

    /// As a file in TOML, each value with its source behind it.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        for section in known().all_sections() {
            if !section.path.is_empty() && !section.keys.is_empty() {
                // Writing to a string does not fail.
                let _ = writeln!(text, "\n[{}]", section.path);
            }
            for key in &section.keys {
                let Some(setting) = self.0.iter().find(|setting| setting.key == key.path) else {
                    continue;
                };
                let _ = match &setting.value {
                    Some(value) => {
                        let line = format!("{} = {}", key.name(), literal(value));
                        write!(text, "{line:40} # {}", setting.source)
                    }
                    None => write!(text, "# {} is not set", key.name()),
                };
                let _ = match &setting.empty {
                    Some(variable) => writeln!(text, "; {variable} is empty, as if it were absent"),
                    None => writeln!(text),
                };
            }
        }
        text
    }
}

fn setting(key: &Key, given: Option<&Given>, empty: Option<&String>) -> Setting {
    static SALT: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    let value = given
        .map(|given| given.value.to_json())
        .or_else(|| key.default.clone());
    let secret = value
        .as_ref()
        .filter(|_| key.secret)
        .map(|value| SALT.hash_one(value.to_string()));
    Setting {
        key: key.path.clone(),
        value: if secret.is_some() {
            Some(MASK.into())
        } else {
            value
        },
        source: given.map_or(Origin::Default, |given| given.origin.clone()),
        empty: empty.cloned(),
        secret,
        reloads: key.reloads,
    }
}
