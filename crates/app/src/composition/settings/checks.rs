//! Whether keys are keys, URLs can be read by their drivers, and the log level by the filter.

use super::{composer, legacy, pages, postgres, redis, smtp};
use crate::{
    config::{Check, Config, ConfigError, Profile, Secret},
    keys::retired_key,
};
use revolve_adapters::jose::{Algorithm, IdKey, MasterKey};
use revolve_observe::telemetry;

/// In the order in which messages name what they find.
pub(crate) const CHECKS: [Check; 10] = [
    log_level,
    master_key,
    previous_master_keys,
    signing_key,
    retired_keys,
    postgres_url,
    redis_url,
    mail,
    verifier,
    colour_and_logo,
];

/// It is a filter of log lines.
fn log_level(config: &Config) -> Result<(), ConfigError> {
    telemetry::check_level(&config.log.level).map_err(|error| ConfigError::new(error.to_string()))
}

/// It is there if it must be, and is a key.
fn master_key(config: &Config) -> Result<(), ConfigError> {
    match config.master_key()? {
        Secret::Absent if config.profile == Profile::Embedded => Ok(()),
        given => {
            let wrong = |error| {
                ConfigError::new(format!(
                    "secrets.master_key: {error}; make one: openssl rand 32 | basenc --base64url | tr -d ="
                ))
            };
            MasterKey::parse(&given.required("secrets.master_key")?)
                .map(drop)
                .map_err(wrong)
        }
    }
}

/// Each is a key.
fn previous_master_keys(config: &Config) -> Result<(), ConfigError> {
    for (at, key) in config.previous_master_keys()?.iter().enumerate() {
        MasterKey::parse(key).map_err(|error| {
            ConfigError::new(format!(
                "secrets.previous_master_keys: entry {}: {error}",
                at + 1
            ))
        })?;
    }
    Ok(())
}

/// It is a key for the algorithm.
fn signing_key(config: &Config) -> Result<(), ConfigError> {
    let wrong = |error: String| ConfigError::new(format!("tokens.signing_key: {error}"));
    match config.signing_key()? {
        Secret::Given(pem) => {
            let algorithm: Algorithm = config.tokens.algorithm.parse().map_err(wrong)?;
            IdKey::from_pem(algorithm, &pem)
                .map(drop)
                .map_err(|error| wrong(error.to_string()))
        }
        Secret::Absent => Ok(()),
    }
}

/// Each can be read and is a key.
fn retired_keys(config: &Config) -> Result<(), ConfigError> {
    let wrong = |entry: &String| {
        let error = retired_key(entry).err()?;
        Some(ConfigError::new(format!("{error:#}")))
    };
    let mistakes: Vec<_> = config
        .tokens
        .retired_keys_files
        .iter()
        .filter_map(wrong)
        .flat_map(ConfigError::into_mistakes)
        .collect();
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes.into())
    }
}

fn postgres_url(config: &Config) -> Result<(), ConfigError> {
    if config.profile != Profile::Server {
        return Ok(());
    }
    postgres(config)?.mistake().map_or(Ok(()), |mistake| {
        Err(ConfigError::new(format!("postgres.{mistake}")))
    })
}

fn redis_url(config: &Config) -> Result<(), ConfigError> {
    if config.profile != Profile::Server {
        return Ok(());
    }
    redis(config)?.mistake().map_or(Ok(()), |mistake| {
        Err(ConfigError::new(format!("redis.{mistake}")))
    })
}

/// Mails can be written, and there is a server that they could be sent to.
fn mail(config: &Config) -> Result<(), ConfigError> {
    composer(config)?;
    smtp(config)?
        .and_then(|smtp| smtp.mistake())
        .map_or(Ok(()), |mistake| {
            Err(ConfigError::new(format!("mail.{mistake}")))
        })
}

/// The former system can be asked.
fn verifier(config: &Config) -> Result<(), ConfigError> {
    legacy(config)?
        .and_then(|legacy| legacy.mistake())
        .map_or(Ok(()), |mistake| {
            Err(ConfigError::new(format!("import.{mistake}")))
        })
}

/// Pages can be read in the colour, and the logo is a picture.
fn colour_and_logo(config: &Config) -> Result<(), ConfigError> {
    pages(config).map(drop)
}
