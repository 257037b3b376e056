//! scrypt (RFC 7914), as a PHC string `$scrypt$ln=…,r=…,p=…$salt$hash`, or bare, without parameters, as many programs store it.
//!
//! The library allocates its memory itself and does not wipe it; N=32768 r=8 needs just above 32 MiB, and from there on the allocator returns
//! memory to the system at once.

use super::{
    demand::{Effort, HashDemand, HashParameters, MemoryDemand},
    phc::{BASE64, Phc},
};
use base16ct::mixed;
use base64::Engine;
use scrypt::{Params, errors::InvalidOutputLen, scrypt};
use subtle::ConstantTimeEq;

/// Bytes of hash and salt in a bare form.
const HASH: std::ops::RangeInclusive<usize> = 16..=64;
const SALT: std::ops::RangeInclusive<usize> = 8..=64;

/// A form whose text says neither its algorithm nor its parameters. Two of them can look alike, so only who made the hashes knows which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BareFormat {
    /// `hex(hash).hex(salt)`, N=32768 r=8 p=1; the salt is the bytes that the hex stands for, as in Go's
    /// `scrypt.Key(password, salt, 32768, 8, 1, len)`.
    ScryptHexSalt,
    /// `hex(hash).salt`, N=16384 r=8 p=1; the salt is its own text, hex or not, as in Node's `scrypt(password, salt, len)`.
    ScryptTextSalt,
}

impl BareFormat {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::ScryptHexSalt, Self::ScryptTextSalt];

    /// A stable name, for the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScryptHexSalt => "scrypt-hex-salt",
            Self::ScryptTextSalt => "scrypt-text-salt",
        }
    }

    pub(crate) fn parse(self, text: &str) -> Option<Scrypt> {
        // Texts that say what they are belong to no bare form.
        let (hash, salt) = text
            .split_once('.')
            .filter(|_| !text.starts_with(['$', '{']))?;
        let expected = mixed::decode_vec(hash).ok()?;
        let (log_n, salt) = match self {
            Self::ScryptHexSalt => (15, mixed::decode_vec(salt).ok()?),
            Self::ScryptTextSalt => (14, salt.as_bytes().to_vec()),
        };
        let sound = HASH.contains(&expected.len()) && SALT.contains(&salt.len());
        sound.then_some(Scrypt {
            params: Params::new(log_n, 8, 1).ok()?,
            salt,
            expected,
        })
    }
}

pub(crate) struct Scrypt {
    params: Params,
    salt: Vec<u8>,
    expected: Vec<u8>,
}

impl Scrypt {
    pub(crate) fn from_phc(text: &str) -> Option<Self> {
        let phc = Phc::parse(text).filter(|phc| phc.version.is_none())?;
        let [log_n, r, p] = phc.numbers(["ln", "r", "p"])?;
        Some(Self {
            params: Params::new(log_n.try_into().ok()?, r, p).ok()?,
            salt: phc.salt,
            expected: phc.hash,
        })
        .filter(Self::is_sound)
    }

    /// The PHC string that [`Self::from_phc`] reads.
    pub(crate) fn to_phc(&self) -> String {
        format!(
            "$scrypt$ln={},r={},p={}${}${}",
            self.params.log_n(),
            self.params.r(),
            self.params.p(),
            BASE64.encode(&self.salt),
            BASE64.encode(&self.expected)
        )
    }

    /// N is more than 1 (RFC 7914 §6), and so short a hash would match passwords by chance.
    fn is_sound(&self) -> bool {
        self.params.log_n() > 0 && self.expected.len() >= 4
    }

    pub(crate) fn demand(&self) -> HashDemand {
        demand(&self.params)
    }

    pub(crate) fn verify(&self, password: &[u8]) -> Result<bool, InvalidOutputLen> {
        let mut output = vec![0; self.expected.len()];
        scrypt(password, &self.salt, &self.params, &mut output)?;
        Ok(output.ct_eq(&self.expected).into())
    }
}

/// What scrypt takes with these parameters.
pub(super) fn demand(params: &Params) -> HashDemand {
    let (n, r, p) = (params.n(), u64::from(params.r()), u64::from(params.p()));
    // V, B and a block to work on.
    let bytes = n.saturating_add(p + 1).saturating_mul(r * 128);
    HashDemand {
        memory: MemoryDemand::Bytes(bytes),
        effort: Effort::of(HashParameters::Scrypt {
            log_n: params.log_n(),
            r: params.r(),
            p: params.p(),
        }),
    }
}
