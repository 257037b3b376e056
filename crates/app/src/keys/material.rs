//! What the configuration and the data directory say about keys.

use super::embedded;
use crate::{
    config::{Config, Profile, Secret},
    data_dir,
};
use anyhow::{Context, Result, anyhow};
use revolve_adapters::jose::{
    Algorithm, CodecConfig, FileKeys, IdKey, JoseTokens, KeyVault, MasterKey,
};
use revolve_domain::{keys::IdKeys, ports::Entropy};
use secrecy::{ExposeSecret, SecretString};
use std::{fs, path::Path, sync::Arc};

/// Everything that keys come from, but for the user database.
pub(crate) struct Material {
    /// Seals stored keys; others are derived from it.
    pub(crate) master: MasterKey,
    /// Makes keys.
    pub(crate) vault: KeyVault,
    /// Signs and verifies, once it is loaded.
    pub(crate) ring: JoseTokens,
    /// What signs ID tokens.
    pub(crate) id_keys: IdKeys,
    /// The keys of files: name, algorithm, and whether it signs.
    pub(crate) files: Vec<(String, Algorithm, bool)>,
    /// The key of an embedded installation from before keys were stored.
    pub(crate) legacy: Option<embedded::Legacy>,
}

impl Material {
    /// The embedded profile makes the master key that is not given; the server profile never invents it.
    pub(crate) fn new(config: &Config, entropy: Arc<dyn Entropy>) -> Result<Self> {
        let algorithm: Algorithm = config
            .tokens
            .algorithm
            .parse()
            .map_err(|error| anyhow!("tokens.algorithm: {error}"))?;
        let (master, data_dir) = match (config.profile, config.master_key()?) {
            (Profile::Server, given) => (given.required("secrets.master_key")?, None),
            (Profile::Embedded, given) => {
                data_dir::prepare(&config.data_dir)?;
                let master = match given {
                    Secret::Given(key) => key,
                    Secret::Absent => embedded::master_key(&config.data_dir, &*entropy)?,
                };
                (master, Some(&config.data_dir))
            }
        };
        let previous = config
            .previous_master_keys()?
            .iter()
            .map(MasterKey::parse)
            .collect::<Result<_, _>>()
            .context("secrets.previous_master_keys")?;
        let master = MasterKey::parse(&master)
            .context("secrets.master_key")?
            .with_previous(previous);
        let signing = match config.signing_key()? {
            Secret::Given(pem) => {
                Some(IdKey::from_pem(algorithm, &pem).context("tokens.signing_key")?)
            }
            Secret::Absent => None,
        };
        let id_keys = if signing.is_some() {
            IdKeys::File
        } else {
            IdKeys::Stored(algorithm)
        };
        let legacy = match (data_dir, id_keys) {
            (Some(data_dir), IdKeys::Stored(_)) => embedded::Legacy::find(data_dir, algorithm)?,
            _ => None,
        };
        let others = config
            .tokens
            .retired_keys_files
            .iter()
            .map(|file| retired_key(file))
            .collect::<Result<Vec<_>>>()?;
        let files = FileKeys { signing, others };
        let signs = files
            .signing
            .iter()
            .map(|key| (key.id().to_owned(), key.algorithm(), true));
        let verify = files
            .others
            .iter()
            .map(|key| (key.id().to_owned(), key.algorithm(), false));
        let described = signs.chain(verify).collect();

        let vault = KeyVault::new(
            &master,
            entropy,
            legacy.as_ref().map(|key| (algorithm, key.pem.clone())),
        )?;
        let codec_config = CodecConfig {
            issuer: config.tokens.issuer.clone(),
            audience: config.tokens.audience.clone(),
        };
        let ring = JoseTokens::stored(codec_config, files, &master)
            .context("tokens.retired_keys_files")?;
        Ok(Self {
            master,
            vault,
            ring,
            id_keys,
            files: described,
            legacy,
        })
    }
}

/// `old.pem` or `PS256:old.pem`
pub(crate) fn retired_key(entry: &str) -> Result<IdKey> {
    let named = entry
        .split_once(':')
        .and_then(|(name, file)| Some((name.parse::<Algorithm>().ok()?, file)));
    let (algorithm, file) =
        named.map_or((None, entry), |(algorithm, file)| (Some(algorithm), file));
    let read = || -> Result<IdKey> {
        let pem: SecretString = fs::read_to_string(Path::new(file))
            .context("it can't be read")?
            .into();
        Ok(IdKey::verifying(algorithm, pem.expose_secret())?)
    };
    read().with_context(|| format!("tokens.retired_keys_files: {file}"))
}
