//! Tokens, keys and device credentials. The only module that names josekit.
//!
//! Signers, verifiers and headers are built once per key and swapped as a whole ring. Secret parts are sealed and opened
//! only here. A token is accepted only if its header is, byte for byte, one that we write ourselves: algorithm, type and
//! key id are the key's, never the token's (RFC 8725 §3.1, §3.11). A key for Ed25519 has two such headers, since `Ed25519`
//! and `EdDSA` name the same algorithm on that curve (RFC 9864 §2.2).

mod claims;
mod codec;
mod device;
mod factors;
mod id_key;
mod packed;
mod proof;
mod refresh_key;
mod ring;
mod secrets;
mod signature;
mod vault;
mod webhooks;

pub use codec::{CodecConfig, FileKeys, JoseTokens};
pub use device::MacDeviceCredentials;
pub use factors::FactorVault;
pub use id_key::{IdKey, KeyError};
pub use proof::MacProofSecrets;
pub use revolve_domain::keys::Algorithm;
pub use secrets::{MasterKey, MasterKeyError};
pub use vault::KeyVault;
pub use webhooks::WebhookVault;
