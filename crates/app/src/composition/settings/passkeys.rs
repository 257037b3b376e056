//! Passkeys as their adapter's own type.

use crate::config::Config;
use revolve_adapters::passkeys::RelyingParty;

/// Who passkeys are made for, and where they may be used.
pub(crate) fn relying_party(config: &Config) -> RelyingParty {
    RelyingParty {
        id: config.rp_id(),
        name: config.pages.name.clone(),
        origins: config.passkey_origins(),
    }
}
