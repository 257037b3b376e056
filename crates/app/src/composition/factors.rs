//! The composition of factors: what seals their secrets, computes codes and verifies passkeys.

use super::{Purpose, settings, stores::user_database};
use crate::{config::Config, keys::Material};
use anyhow::Result;
use revolve_adapters::{
    jose::{FactorVault, MasterKey},
    one_time_codes::Totp,
    passkeys::PasskiCeremonies,
    system::SystemEntropy,
};
use revolve_domain::{
    ports::{Entropy, Factors},
    use_cases::{FactorPorts, ResealFactors},
};
use std::sync::Arc;

/// The ports of factors over this store.
///
/// # Errors
/// If the master key can't seal.
pub(super) fn ports(
    config: &Config,
    store: Arc<dyn Factors>,
    master: &MasterKey,
    entropy: &Arc<dyn Entropy>,
) -> Result<FactorPorts> {
    Ok(FactorPorts {
        store,
        secrets: Arc::new(FactorVault::new(master, Arc::clone(entropy))?),
        codes: Arc::new(Totp::new(&config.pages.name)),
        ceremonies: Arc::new(PasskiCeremonies::new(&settings::relying_party(config))),
    })
}

/// What seals the secrets of factors under another master key; the white list need not be there.
///
/// # Errors
/// A message that names the configuration key or the store that is wrong.
pub(crate) async fn reseal_factors(config: &Config) -> Result<ResealFactors> {
    let database = user_database(config, Purpose::Change).await?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let master = Material::new(config, Arc::clone(&entropy))?.master;
    let vault = FactorVault::new(&master, entropy)?;
    Ok(ResealFactors::new(database, Arc::new(vault)))
}
