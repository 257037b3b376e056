//! Tokens, keys and device credentials. The only module that names josekit.
//!
//! Signers, verifiers and headers are built once. A token is accepted only if its header is, byte for byte, one that we
//! write ourselves: algorithm, type and key id are the key's, never the token's (RFC 8725 §3.1, §3.11).

mod claims;
mod codec;
mod device;
mod id_key;
mod secrets;

pub use codec::{CodecConfig, JoseTokens};
pub use device::MacDeviceCredentials;
pub use id_key::{Algorithm, IdKey, KeyError};
pub use secrets::{MasterKey, MasterKeyError};
