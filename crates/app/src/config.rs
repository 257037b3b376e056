//! The configuration ([`revolve_config`]), read with the checks of those who use it.

pub use revolve_config::*;

use crate::composition::CHECKS;
use std::path::Path;

/// Reads `config/revolve.toml` and `config/<profile>.toml` below the working directory (or `file` instead), then the environment,
/// then the files that secrets and keys are in.
///
/// # Errors
/// [`ConfigError`] with every mistake that was found.
pub fn load(file: Option<&Path>) -> Result<Loaded, ConfigError> {
    Loaded::read(file, &CHECKS)
}
