//! The cost of new hashes, and why a hasher can't be made.

use argon2::{Block, Params};
use std::io;

/// The cost of a hash. The default follows the OWASP password storage recommendations: 19 MiB, 2 passes, 1 lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes, which are computed one after the other.
    pub lanes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

impl HashCost {
    /// The memory of one hash in bytes.
    pub const fn bytes(self) -> u64 {
        self.memory_kib as u64 * Block::SIZE as u64
    }

    pub(crate) fn params(self) -> Result<Params, HasherError> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(HasherError::Cost)
    }
}

/// Why a hasher can't be made.
#[derive(Debug, thiserror::Error)]
pub enum HasherError {
    /// A cost that argon2 does not allow.
    #[error("argon2 does not allow this cost")]
    Cost(#[source] argon2::Error),
    /// The budget is too small for one hash.
    #[error("one hash takes {need} bytes, more than the memory budget of {budget} bytes")]
    Budget {
        /// In bytes.
        need: u64,
        /// In bytes.
        budget: u64,
    },
    /// The system refused a thread.
    #[error("no thread for hashing")]
    Thread(#[source] io::Error),
}
