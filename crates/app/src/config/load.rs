//! Where the configuration comes from, and what is said when it can't be read.

use super::{Config, ConfigError, Profile};
use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use std::path::{Path, PathBuf};

/// The folder that is read when nothing else is said.
const FOLDER: &str = "config";

impl Config {
    /// Reads `config/revolve.toml` and `config/<profile>.toml` below the working directory (or `file` instead), then the
    /// environment.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake that was found.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let environment = Env::prefixed("REVOLVE__").split("__").lowercase(true);
        let with = |files: &[PathBuf]| {
            let figment = files.iter().fold(Figment::new(), |figment, file| figment.merge(Toml::file(file)));
            figment.merge(environment.clone())
        };
        let files = if let Some(file) = file {
            if !file.is_file() {
                return Err(ConfigError(format!("  {} is not there", file.display())));
            }
            vec![file.to_owned()]
        } else {
            let common = Path::new(FOLDER).join("revolve.toml");
            let figment = with(std::slice::from_ref(&common));
            let profile: Profile = if figment.contains("profile") {
                figment.extract_inner("profile").map_err(|error| explain(&error))?
            } else {
                Profile::default()
            };
            vec![common, Path::new(FOLDER).join(profile.file_name())]
        };
        Self::extract(&with(&files))
    }

    /// Reads a text in TOML alone: what tests use.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        Self::extract(&Figment::from(Toml::string(text)))
    }

    fn extract(figment: &Figment) -> Result<Self, ConfigError> {
        let config: Self = figment.extract().map_err(|error| explain(&error))?;
        config.check()?;
        Ok(config)
    }
}

fn explain(error: &figment::Error) -> ConfigError {
    let lines: Vec<String> = error
        .clone()
        .into_iter()
        .map(|error| {
            let path = if error.path.is_empty() { String::new() } else { format!("{}: ", error.path.join(".")) };
            let source = error.metadata.as_ref().map(|metadata| match &metadata.source {
                Some(source) => format!(" (in {source})"),
                None => format!(" (in {})", metadata.name),
            });
            format!("  {path}{}{}", without_value(&error.kind), source.unwrap_or_default())
        })
        .collect();
    ConfigError(lines.join("\n"))
}

/// What is wrong, without the value that was found: it may be a secret in the wrong place.
fn without_value(kind: &figment::error::Kind) -> String {
    use figment::error::Kind;
    match kind {
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => format!("{} found, expected {expected}", class(found)),
        Kind::UnknownVariant(_, expected) => format!("unknown value, expected one of {}", expected.join(", ")),
        Kind::UnknownField(field, expected) => format!("unknown key `{field}`, expected one of {}", expected.join(", ")),
        other => other.to_string(),
    }
}

fn class(found: &figment::error::Actual) -> &'static str {
    use figment::error::Actual;
    match found {
        Actual::Bool(_) => "a boolean",
        Actual::Unsigned(_) | Actual::Signed(_) | Actual::Float(_) => "a number",
        Actual::Char(_) | Actual::Str(_) => "a text",
        Actual::Seq => "a list",
        Actual::Map => "a section",
        _ => "something else",
    }
}
