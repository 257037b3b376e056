//! The keys of operators' programs: made, revoked, shown.

mod authenticate_key;
mod manage_api_keys;

pub use authenticate_key::{AuthenticateKey, KeyRefused};
pub use manage_api_keys::{ApiKeyRequest, CreatedApiKey, ManageApiKeys};
