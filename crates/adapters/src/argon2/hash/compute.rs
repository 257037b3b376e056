//! Computes argon2.

use super::demand::UnusableHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use revolve_domain::ports::StoreError;

pub(crate) const STORE: &str = "hasher";

pub(crate) fn compute(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    password: &[u8],
    salt: &[u8],
    memory: &mut [Block],
) -> Result<Vec<u8>, StoreError> {
    let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    let argon2 = Argon2::new(algorithm, version, params.clone());
    argon2
        .hash_password_into_with_memory(password, salt, &mut output, memory)
        .map_err(|e| broken(&e))?;
    Ok(output)
}

/// Contains only the library's message: a hash must not reach a log.
pub(crate) fn broken(error: &impl std::fmt::Display) -> StoreError {
    StoreError::broken(STORE, "compute a password hash", error.to_string())
}

pub(crate) fn unusable(error: UnusableHash) -> StoreError {
    StoreError::broken(STORE, "check a stored password hash", error)
}
