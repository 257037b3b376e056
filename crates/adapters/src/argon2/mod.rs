//! Password hashes: argon2id in PHC string form, and other forms that were made elsewhere, computed in a pool of its own so that
//! neither a flood of sign-ins nor an expensive hash can take the memory, the async workers or the cores from the rest.

mod machine;
mod measure;
mod memory;
mod pace;
mod pool;
mod queue;
mod stored;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt},
};
use async_trait::async_trait;
pub use machine::memory_limit;
pub use measure::measure;
use pace::Effort;
use pool::Pool;
pub use pool::{PoolConfig, PoolStats};
use revolve_domain::{
    model::{Password, PasswordHash},
    ports::{Entropy, PasswordCheck, PasswordHasher, StoreError},
};
use std::{io, num::NonZeroUsize, sync::Arc};
pub use stored::UnusableHash;
use stored::{Demand, Stored};

/// The cost of a hash. The default follows the OWASP password storage recommendations: 19 MiB, 2 passes, 1 lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes. They are computed one after the other.
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

    fn params(self) -> Result<Params, HasherError> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(HasherError::Cost)
    }
}

/// Why there is no hasher.
#[derive(Debug, thiserror::Error)]
pub enum HasherError {
    /// A cost that argon2 does not allow.
    #[error("argon2 does not allow this cost")]
    Cost(#[source] argon2::Error),
    /// Not even one hash could be computed.
    #[error("one hash takes {need} bytes, more than the memory budget of {budget} bytes")]
    Budget {
        /// What one hash takes.
        need: u64,
        /// What there is.
        budget: u64,
    },
    /// The system gives no threads.
    #[error("no thread for hashing")]
    Thread(#[source] io::Error),
}

const STORE: &str = "hasher";

/// Hashes with argon2id; checks argon2, bcrypt and scrypt.
pub struct Argon2Hasher {
    params: Params,
    entropy: Arc<dyn Entropy>,
    pool: Pool,
    /// Checked when there is no account, so that time does not tell.
    decoy: PasswordHash,
}

impl Argon2Hasher {
    /// A hasher with its pool.
    ///
    /// # Errors
    /// [`HasherError`].
    pub fn new(
        cost: HashCost,
        pool: PoolConfig,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, HasherError> {
        let params = cost.params()?;
        // Random salt and random output under today's cost: no password is known to match.
        let (output, salt) = ([entropy.bytes(), entropy.bytes()].concat(), entropy.bytes());
        let decoy = phc(&params, &salt, &output)
            .map_err(|_| HasherError::Cost(argon2::Error::AlgorithmInvalid))?;
        Ok(Self {
            pool: Pool::start(&pool, &params)?,
            params,
            entropy,
            decoy,
        })
    }

    /// What the pool is doing.
    pub fn stats(&self) -> PoolStats {
        self.pool.stats()
    }
}

/// So many hashes of this cost can be computed at once: one per core but one, which is left to the rest of the service, or `threads`, as far as the budget of bytes allows; at least one.
pub fn threads(threads: Option<NonZeroUsize>, cost: HashCost, budget: u64) -> NonZeroUsize {
    let others = || NonZeroUsize::new(std::thread::available_parallelism().ok()?.get() - 1);
    let wanted = threads.or_else(others).unwrap_or(NonZeroUsize::MIN);
    let room = usize::try_from(budget / cost.bytes().max(1)).unwrap_or(usize::MAX);
    NonZeroUsize::new(room).map_or(NonZeroUsize::MIN, |room| wanted.min(room))
}

/// Whether a hash that was made elsewhere can be checked here, with a budget of so many bytes.
///
/// # Errors
/// [`UnusableHash`], which says nothing of the hash itself.
pub fn examine(hash: &PasswordHash, budget: u64) -> Result<(), UnusableHash> {
    Stored::parse(hash.expose())?.demand().within(budget)
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    fn admit(&self) -> Result<(), StoreError> {
        self.pool.admit()
    }

    async fn hash(&self, password: &Password) -> Result<PasswordHash, StoreError> {
        let (params, salt, password) =
            (self.params.clone(), self.entropy.bytes(), password.clone());
        self.pool
            .run("hash a password", Demand::of(&params), move |memory| {
                let output = compute(
                    Algorithm::Argon2id,
                    Version::V0x13,
                    &params,
                    password.expose().as_bytes(),
                    &salt,
                    memory,
                )?;
                phc(&params, &salt, &output).map_err(|e| broken(&e))
            })
            .await
    }

    async fn check(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, StoreError> {
        let known = hash.is_some();
        let stored = Stored::parse(hash.unwrap_or(&self.decoy).expose()).map_err(unusable)?;
        let (demand, outdated, password) = (
            stored.demand(),
            !stored.is_todays(&self.params),
            password.clone(),
        );
        let matches = self
            .pool
            .run("check a password", demand, move |memory| {
                stored.verify(password.expose().as_bytes(), memory)
            })
            .await?;
        Ok(if matches && known {
            PasswordCheck::Match { outdated }
        } else {
            PasswordCheck::Mismatch
        })
    }
}

/// The parameters say how long the output is.
fn compute(
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

fn phc(
    params: &Params,
    salt: &[u8],
    output: &[u8],
) -> Result<PasswordHash, argon2::password_hash::Error> {
    let phc = Phc {
        algorithm: Algorithm::Argon2id.into(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params)?,
        salt: Some(Salt::new(salt)?),
        hash: Some(Output::new(output)?),
    };
    Ok(PasswordHash::from_phc(phc.to_string()))
}

/// Never says more than the library's own words: a hash must not reach a log.
fn broken(error: &impl std::fmt::Display) -> StoreError {
    StoreError::broken(STORE, "compute a password hash", error.to_string())
}

fn unusable(error: UnusableHash) -> StoreError {
    StoreError::broken(STORE, "check a stored password hash", error)
}
