//! From material and user database to a ring that is ready to sign.

use super::{LiveKeys, Material};
use anyhow::{Context, Result};
use revolve_adapters::jose::JoseTokens;
use revolve_domain::{
    journal::Actor,
    keys::KeyPolicy,
    ports::{Clock, Entropy, KeyFault, KeyRepository, RevokedKeys},
    use_cases::{KeepKeys, KeyPorts, KeysFailed},
};
use revolve_observe::metrics::{CountedRing, Metrics};
use std::sync::Arc;

/// Makes the first keys or loads those that are there. The ring follows the user database as long as [`LiveKeys::keep`] is
/// called.
pub(crate) async fn start(
    material: Material,
    repository: Arc<dyn KeyRepository>,
    revoked: Option<Arc<dyn RevokedKeys>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    policy: KeyPolicy,
    metrics: &Metrics,
) -> Result<(Arc<LiveKeys>, Arc<JoseTokens>)> {
    let Material {
        vault,
        ring,
        id_keys,
        legacy,
        ..
    } = material;
    let ring = Arc::new(ring);
    let counted = Arc::new(CountedRing::new(Arc::clone(&ring), metrics));
    let keep = KeepKeys::new(KeyPorts {
        repository: Arc::clone(&repository),
        revoked,
        maker: Arc::new(vault),
        ring: counted,
        clock,
        entropy,
        actor: Actor::System,
        policy,
        id_keys,
    });
    let live = LiveKeys::start(keep, Arc::clone(&ring))
        .await
        .map_err(|error| {
            let about = if matches!(error, KeysFailed::Key(KeyFault::Sealed(_))) {
                "secrets.master_key"
            } else {
                "the signing keys"
            };
            anyhow::Error::new(error).context(about)
        })?;
    if let Some(legacy) = legacy {
        legacy.settle(&repository.list().await.context("the signing keys")?)?;
    }
    Ok((Arc::new(live), ring))
}
