//! Password hashes: argon2id in PHC string form, computed in a pool of its own so that a flood of sign-ins can neither
//! take the memory nor the async workers.

mod pool;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, PasswordHash as Phc, Salt},
};
use async_trait::async_trait;
use pool::Pool;
pub use pool::PoolConfig;
use revolve_domain::{
    model::{Password, PasswordHash},
    ports::{Entropy, PasswordCheck, PasswordHasher, StoreError},
};
use std::sync::Arc;

/// The cost of a hash. The default follows the OWASP password storage recommendations: 19 MiB, 2 passes, 1 lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// A cost that argon2 does not allow.
#[derive(Debug, thiserror::Error)]
#[error("argon2 does not allow this cost")]
pub struct InvalidCost(#[source] argon2::Error);

const STORE: &str = "argon2";

/// Hashes with argon2id.
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
    /// [`InvalidCost`].
    pub fn new(cost: HashCost, pool: PoolConfig, entropy: Arc<dyn Entropy>) -> Result<Self, InvalidCost> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(32)).map_err(InvalidCost)?;
        // Random salt and random output under today's cost: no password is known to match.
        let (output, salt) = ([entropy.bytes(), entropy.bytes()].concat(), entropy.bytes());
        let decoy = phc(&params, &salt, &output).map_err(|_| InvalidCost(argon2::Error::AlgorithmInvalid))?;
        Ok(Self { params, entropy, pool: Pool::start(pool), decoy })
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    async fn hash(&self, password: &Password) -> Result<PasswordHash, StoreError> {
        let (params, salt, password) = (self.params.clone(), self.entropy.bytes(), password.clone());
        self.pool
            .run("hash a password", move |memory| {
                let output = compute(Algorithm::Argon2id, Version::V0x13, &params, password.expose(), &salt, 32, memory)?;
                phc(&params, &salt, &output)
            })
            .await
    }

    async fn check(&self, password: &Password, hash: Option<&PasswordHash>) -> Result<PasswordCheck, StoreError> {
        let known = hash.is_some();
        let (hash, password, today) = (hash.unwrap_or(&self.decoy).clone(), password.clone(), self.params.clone());
        self.pool
            .run("check a password", move |memory| {
                let stored = Phc::new(hash.expose()).map_err(|e| broken(&e))?;
                let algorithm = Algorithm::try_from(stored.algorithm.as_str()).map_err(|e| broken(&e))?;
                let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from).map_err(|e| broken(&e))?;
                let params = Params::try_from(&stored).map_err(|e| broken(&e))?;
                let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Err(broken(&"no salt or hash")) };
                let output = compute(algorithm, version, &params, password.expose(), salt, expected.len(), memory)?;
                // `Output` compares in constant time.
                let matches = Output::new(&output).map_err(|e| broken(&e))? == *expected;
                if !(matches && known) {
                    return Ok(PasswordCheck::Mismatch);
                }
                let same = (params.m_cost(), params.t_cost(), params.p_cost()) == (today.m_cost(), today.t_cost(), today.p_cost());
                Ok(PasswordCheck::Match { outdated: !same || algorithm != Algorithm::Argon2id || version != Version::V0x13 })
            })
            .await
    }
}

fn compute(
    algorithm: Algorithm,
    version: Version,
    params: &Params,
    password: &str,
    salt: &[u8],
    length: usize,
    memory: &mut Vec<Block>,
) -> Result<Vec<u8>, StoreError> {
    let blocks = params.block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let params = Params::new(params.m_cost(), params.t_cost(), params.p_cost(), Some(length)).map_err(|e| broken(&e))?;
    let mut output = vec![0; length];
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, &mut memory[..blocks])
        .map_err(|e| broken(&e))?;
    Ok(output)
}

fn phc(params: &Params, salt: &[u8], output: &[u8]) -> Result<PasswordHash, StoreError> {
    let phc = Phc {
        algorithm: Algorithm::Argon2id.into(),
        version: Some(Version::V0x13.into()),
        params: argon2::password_hash::phc::ParamsString::try_from(params).map_err(|e| broken(&e))?,
        salt: Some(Salt::new(salt).map_err(|e| broken(&e))?),
        hash: Some(Output::new(output).map_err(|e| broken(&e))?),
    };
    Ok(PasswordHash::from_phc(phc.to_string()))
}

/// Never says more than the library's own words: a hash must not reach a log.
fn broken(error: &impl std::fmt::Display) -> StoreError {
    StoreError::broken(STORE, "compute a password hash", error.to_string())
}
