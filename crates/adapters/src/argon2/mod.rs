//! Password hashes: argon2id in PHC string form, and other forms from elsewhere. They are computed in a pool of threads, so that neither a flood
//! of sign-ins nor an expensive hash takes memory, async workers or cores from the rest of the service.

mod hash;
mod machine;
mod measure;
mod pool;

use argon2::{
    Algorithm, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt},
};
use async_trait::async_trait;
pub use hash::{
    BareFormat, DigestName, FirebaseParameters, ForeignHash, PasswordEncoding, Pbkdf2Digest,
    SaltUse,
    cost::{HashCost, HasherError},
    demand::{HashBounds, HashParameters, UnusableHash},
    from_kratos,
};
use hash::{
    StoredHash,
    compute::{broken, compute, unusable},
    demand::HashDemand,
    respell,
};
pub use machine::memory_limit;
pub use measure::measure;
use pool::HashingPool;
pub use pool::{PoolConfig, PoolStats, threads};
use revolve_domain::{
    model::{Password, PasswordHash},
    ports::{Entropy, HashFlow, PasswordCheck, PasswordHasher, StoreError},
};
use std::sync::Arc;

const HASH: &str = "hash a password";

/// Hashes with argon2id; checks argon2, bcrypt, scrypt, PBKDF2 and digests.
pub struct Argon2Hasher {
    params: Params,
    entropy: Arc<dyn Entropy>,
    pool: HashingPool,
    bounds: HashBounds,
    /// Checked when there is no account, so that the time of an answer does not reveal that.
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
        // Random salt and random output with the current cost: no password is known to match.
        let (output, salt) = ([entropy.bytes(), entropy.bytes()].concat(), entropy.bytes());
        let decoy = phc(&params, &salt, &output)
            .map_err(|_| HasherError::Cost(argon2::Error::AlgorithmInvalid))?;
        Ok(Self {
            pool: HashingPool::start(&pool, cost)?,
            bounds: HashBounds::at_check(pool.budget, pool.patience),
            params,
            entropy,
            decoy,
        })
    }

    /// The pool's state.
    pub fn stats(&self) -> PoolStats {
        self.pool.stats()
    }

    /// Hashes with a fresh salt in memory of the pool.
    fn new_hash(
        &self,
        password: &Password,
    ) -> impl FnOnce(&mut [Block]) -> Result<PasswordHash, StoreError> + Send + use<> {
        let (params, salt, password) =
            (self.params.clone(), self.entropy.bytes(), password.clone());
        move |memory| {
            let output = compute(
                Algorithm::Argon2id,
                Version::V0x13,
                &params,
                password.expose().as_bytes(),
                &salt,
                memory,
            )?;
            phc(&params, &salt, &output).map_err(|e| broken(&e))
        }
    }
}

/// The longest text of a hash from elsewhere in bytes. What systems make, with a key or a salt of 64 bytes, has less than half of that.
const LONGEST: usize = 1024;

/// A hash from elsewhere in a form that says what it is, if it can be checked here within these bounds. The first time the machine
/// may be measured, which takes some tens of milliseconds. One in the spelling of another system (Django, passlib, LDAP) is spelled anew; one
/// that says nothing of itself is read as the bare format, if there is one.
///
/// # Errors
/// [`UnusableHash`], which reveals nothing of the hash itself.
pub fn adopt(
    hash: PasswordHash,
    bare: Option<BareFormat>,
    bounds: HashBounds,
) -> Result<PasswordHash, UnusableHash> {
    if hash.expose().len() > LONGEST {
        return Err(UnusableHash::TooLong { longest: LONGEST });
    }
    let hash = match respell(hash.expose()) {
        Some(text) => PasswordHash::from_phc(text?),
        None => hash,
    };
    match (StoredHash::parse_marked(hash.expose()), bare) {
        (Err(UnusableHash::Unmarked), Some(bare)) => {
            let scrypt = bare
                .parse(hash.expose())
                .ok_or(UnusableHash::Malformed(bare.name()))?;
            scrypt.demand().within(bounds)?;
            Ok(PasswordHash::from_phc(scrypt.to_phc()))
        }
        (parsed, _) => {
            if let Some(demand) = parsed?.demand() {
                demand.within(bounds)?;
            }
            Ok(hash)
        }
    }
}

/// A stored hash in a form that says what it is, for another installation to read.
pub fn marked(hash: &PasswordHash) -> PasswordHash {
    match StoredHash::parse(hash.expose()) {
        Ok(StoredHash::Scrypt(scrypt)) => PasswordHash::from_phc(scrypt.to_phc()),
        _ => hash.clone(),
    }
}

#[async_trait]
impl PasswordHasher for Argon2Hasher {
    fn admit(&self, flow: &HashFlow) -> Result<(), StoreError> {
        self.pool.admit(flow)
    }

    async fn hash(&self, flow: &HashFlow, password: &Password) -> Result<PasswordHash, StoreError> {
        let demand = HashDemand::of(&self.params);
        let work = self.new_hash(password);
        self.pool.run(flow, HASH, demand, work).await
    }

    async fn try_hash(
        &self,
        flow: &HashFlow,
        password: &Password,
    ) -> Result<Option<PasswordHash>, StoreError> {
        let demand = HashDemand::of(&self.params);
        let work = self.new_hash(password);
        self.pool.try_run(flow, HASH, demand, work).await
    }

    async fn check(
        &self,
        flow: &HashFlow,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<PasswordCheck, StoreError> {
        let known = hash.is_some();
        let stored = StoredHash::parse(hash.unwrap_or(&self.decoy).expose()).map_err(unusable)?;
        let (outdated, password) = (!stored.is_current(&self.params), password.clone());
        let demand = stored.demand();
        // A digest alone would be answered much sooner than an address without an account.
        let beside = match demand {
            None => Some(StoredHash::parse(self.decoy.expose()).map_err(unusable)?),
            Some(demand) if outdated => {
                let bounds = self.bounds;
                // It may measure the machine first.
                tokio::task::spawn_blocking(move || demand.within(bounds))
                    .await
                    .map_err(|error| broken(&error))?
                    .map_err(unusable)?;
                None
            }
            Some(_) => None,
        };
        let demand = demand.unwrap_or_else(|| HashDemand::of(&self.params));
        let matches = self
            .pool
            .run(flow, "check a password", demand, move |memory| {
                if let Some(beside) = beside {
                    beside.verify(password.expose(), memory)?;
                }
                stored.verify(password.expose(), memory)
            })
            .await?;
        Ok(if matches && known {
            PasswordCheck::Match { outdated }
        } else {
            PasswordCheck::Mismatch
        })
    }
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
