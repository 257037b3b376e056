//! From files and the environment to the configuration. Each key is tried by itself before the whole is, so that every
//! mistake is found at once and each has its place.

mod contents;
mod effective;
mod environment;
mod examine;
mod file;
mod hints;
mod value;

pub use effective::{Change, Effective, Setting};

use crate::{Config, ConfigError, Mistake, Origin, Profile, document::known};
use examine::examine;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use value::Value;

/// The folder that is read if no file is given.
const FOLDER: &str = "config";

/// The last value that a key was given.
struct Given {
    value: Value,
    origin: Origin,
}

/// The values of all keys by their path, and the mistakes that were found in reading them.
#[derive(Default)]
struct Gathered {
    given: BTreeMap<String, Given>,
    /// The keys whose variable is there, but empty, and the variable.
    empty: BTreeMap<String, String>,
    mistakes: Vec<Mistake>,
    files: Vec<PathBuf>,
    /// A file was not TOML: what is missing may be in what could not be read.
    incomplete: bool,
}

/// A check by the code that uses a value: whether a key is one, a URL can be read by its driver. It may read the files that the
/// configuration names.
pub type Check = fn(&Config) -> Result<(), ConfigError>;

/// A configuration, and where each value of it comes from.
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What it says, without secrets.
    pub effective: Effective,
    /// The files that were read.
    pub files: Vec<PathBuf>,
}

impl Loaded {
    /// Reads `config/revolve.toml` and `config/<profile>.toml` below the working directory (or `file` instead), then the
    /// environment, then the files that secrets are in; `checks` look at what stands in them.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake that was found.
    pub fn read(file: Option<&Path>, checks: &[Check]) -> Result<Self, ConfigError> {
        let mut gathered = Gathered::default();
        if let Some(file) = file {
            gathered.file(file, true);
        } else {
            let common = Path::new(FOLDER).join("revolve.toml");
            gathered.file(&common, false);
            let profile = gathered.profile(std::env::vars_os());
            gathered.file(&Path::new(FOLDER).join(profile.file_name()), false);
        }
        gathered.environment(std::env::vars_os());
        gathered.platform(std::env::vars_os());
        gathered.build(Some(checks))
    }
}

impl Config {
    /// Reads a text in TOML alone, and no secret's file: what tests use.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake that was found.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let mut gathered = Gathered::default();
        gathered.text(Path::new("text"), text);
        gathered.build(None).map(|loaded| loaded.config)
    }
}

impl Gathered {
    /// The profile as far as it is known before its own file is read. Mistakes in it are reported later.
    fn profile(&self, environment: impl Iterator<Item = environment::Variable>) -> Profile {
        let mut first = Self::default();
        first.environment(environment);
        let given = first.given.remove("profile").map(|given| given.value);
        let given = given.or_else(|| self.given.get("profile").map(|given| given.value.clone()));
        given
            .and_then(|value| Profile::deserialize(value).ok())
            .unwrap_or_default()
    }

    /// Tries each key, then the whole, then what is in files.
    fn build(mut self, checks: Option<&[Check]>) -> Result<Loaded, ConfigError> {
        let tried: Vec<(String, Mistake)> = self
            .given
            .iter()
            .filter_map(|(path, given)| examine(path, given))
            .collect();
        for (path, mistake) in tried {
            self.given.remove(&path);
            self.mistakes.push(mistake);
        }
        let mut all = Value::Table(BTreeMap::new());
        self.given
            .iter()
            .for_each(|(path, given)| all.put(path, given.value.clone()));
        match Config::deserialize(all) {
            Ok(config) => {
                let broken = config
                    .broken_rules()
                    .into_iter()
                    .flat_map(ConfigError::into_mistakes)
                    .collect();
                self.add(broken);
                if let Some(checks) = checks.filter(|_| !self.incomplete) {
                    let found = contents::check(&config, &self.given, checks);
                    self.add(found);
                }
                if self.mistakes.is_empty() {
                    return Ok(Loaded {
                        config,
                        effective: Effective::new(known(), &self.given, &self.empty),
                        files: self.files,
                    });
                }
            }
            // No key by itself is wrong, so one is missing that another needs.
            Err(fault) if self.mistakes.is_empty() => {
                self.mistakes
                    .push(Mistake::new(None, "", fault.to_string()));
            }
            Err(_) => {}
        }
        let mut mistakes = std::mem::take(&mut self.mistakes);
        mistakes.sort_by_key(|mistake| self.rank(mistake));
        Err(mistakes.into())
    }

    /// Adds what is wrong with keys that are right by themselves. A key that is wrong has been named already, and what is
    /// said of it or of others because it was left out may not be true.
    fn add(&mut self, mistakes: Vec<Mistake>) {
        let wrong: Vec<String> = self
            .mistakes
            .iter()
            .map(|mistake| mistake.key.clone())
            .collect();
        for mut mistake in mistakes {
            let concerns = |key: &String| {
                !key.is_empty()
                    && (*key == mistake.key || key.contains('.') && mentions(&mistake.message, key))
            };
            if wrong.iter().any(concerns) {
                continue;
            }
            if mistake.origin.is_none() {
                mistake.origin = self.place(&mistake);
            }
            self.mistakes.push(mistake);
        }
    }

    /// In the order of the files and their lines; then the environment, then what is nowhere.
    fn rank(&self, mistake: &Mistake) -> (usize, usize) {
        match &mistake.origin {
            Some(Origin::File { file, line }) => (
                self.files
                    .iter()
                    .position(|read| read == file)
                    .unwrap_or_default(),
                *line,
            ),
            Some(_) => (usize::MAX - 1, 0),
            None => (usize::MAX, 0),
        }
    }

    /// Where the key is given, or its file, or another one that the message names.
    fn place(&self, mistake: &Mistake) -> Option<Origin> {
        let file = format!("{}_file", mistake.key);
        let named = [&mistake.key, &file]
            .into_iter()
            .find_map(|key| self.given.get(key));
        let other = || {
            self.given
                .iter()
                .find(|(key, _)| mentions(&mistake.message, key))
                .map(|(_, given)| given)
        };
        named.or_else(other).map(|given| given.origin.clone())
    }
}

/// Whether the key is in the text as a word.
fn mentions(text: &str, key: &str) -> bool {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .any(|word| word.trim_end_matches('.') == key)
}
