//! Firebase's modified scrypt: the signer key of the project, encrypted by AES-256 in counter mode with what scrypt makes of the password. The
//! form is Supabase's: `$fbscrypt$v=1,n=14,r=8,p=1,ss=…,sk=…$salt$hash`, where `n` is the binary logarithm of N, `ss` the salt separator and
//! `sk` the signer key, both in base64.

use super::{
    demand::HashDemand,
    phc::{BASE64, Phc, decimal},
    scrypt::demand,
};
use aes::Aes256;
use base64::Engine;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use scrypt::{Params, errors::InvalidOutputLen, scrypt};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

pub(crate) struct FirebaseScrypt {
    params: Params,
    /// The user's salt and the separator.
    salt: Vec<u8>,
    signer_key: Vec<u8>,
    expected: Vec<u8>,
}

impl FirebaseScrypt {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let phc = Phc::parse(text).filter(|phc| phc.version.is_none())?;
        let [version, log_n, r, p, separator, signer_key] =
            phc.texts(["v", "n", "r", "p", "ss", "sk"])?;
        let log_n: u8 = decimal(log_n)?.try_into().ok()?;
        let salt = [phc.salt, BASE64.decode(separator).ok()?].concat();
        let hash = Self {
            params: Params::new(log_n, decimal(r)?, decimal(p)?).ok()?,
            salt,
            signer_key: BASE64.decode(signer_key).ok()?,
            expected: phc.hash,
        };
        // As long as the key, which has 64 bytes; a short one would match passwords by chance.
        let is_sound =
            log_n > 0 && hash.expected.len() >= 16 && hash.expected.len() == hash.signer_key.len();
        (version == "1" && is_sound).then_some(hash)
    }

    pub(crate) fn demand(&self) -> HashDemand {
        demand(&self.params)
    }

    pub(crate) fn verify(&self, password: &[u8]) -> Result<bool, InvalidOutputLen> {
        let mut key = Zeroizing::new([0; 32]);
        scrypt(password, &self.salt, &self.params, &mut *key)?;
        let mut output = self.signer_key.clone();
        Ctr128BE::<Aes256>::new(&(*key).into(), &[0; 16].into()).apply_keystream(&mut output);
        Ok(output.ct_eq(&self.expected).into())
    }
}

/// The text that [`FirebaseScrypt::parse`] reads.
pub(super) fn text(parameters: &FirebaseParameters, salt: &[u8], hash: &[u8]) -> String {
    let FirebaseParameters {
        log_n,
        r,
        p,
        salt_separator,
        signer_key,
    } = parameters;
    format!(
        "$fbscrypt$v=1,n={log_n},r={r},p={p},ss={},sk={}${}${}",
        BASE64.encode(salt_separator),
        BASE64.encode(signer_key),
        BASE64.encode(salt),
        BASE64.encode(hash)
    )
}

/// What all hashes of a Firebase project have in common.
#[derive(Clone, PartialEq, Eq)]
pub struct FirebaseParameters {
    /// The binary logarithm of scrypt's N, `mem_cost` in the console.
    pub log_n: u32,
    /// scrypt's block size, `rounds` in the console.
    pub r: u32,
    /// scrypt's parallelization; 1 in every project.
    pub p: u32,
    /// Goes behind each salt.
    pub salt_separator: Vec<u8>,
    /// What is encrypted. A secret of the project.
    pub signer_key: Vec<u8>,
}
