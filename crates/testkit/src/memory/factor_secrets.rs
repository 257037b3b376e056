//! Secrets of factors that are not sealed, and codes by a checksum in place of a MAC.

use super::tag::{scramble, tag};
use revolve_domain::{
    keys::SealedKey,
    model::{CodeMac, OneTimeCode, RecoveryCode, Timestamp, TotpStep, UserId},
    ports::{FactorFault, FactorSecretUse, FactorSecrets, OneTimeCodes, TotpEnrolment},
};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// Seals nothing: a secret is its number, with the account and the use that it is for, under the master key of another number.
#[derive(Debug, Default)]
pub struct PlainFactorSecrets {
    made: AtomicU64,
    master: AtomicU8,
}

impl PlainFactorSecrets {
    /// Another master key from now on; the others open as well.
    pub fn change_master(&self) {
        self.master.fetch_add(1, Ordering::Relaxed);
    }

    fn bound(user: UserId, of: FactorSecretUse, secret: &[u8]) -> Vec<u8> {
        [user.as_uuid().as_bytes(), of.name().as_bytes(), secret].concat()
    }
}

impl FactorSecrets for PlainFactorSecrets {
    fn make(&self, user: UserId, of: FactorSecretUse) -> Result<SealedKey, FactorFault> {
        let number = self.made.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let master = [self.master.load(Ordering::Relaxed)];
        let sealed = [&master[..], &Self::bound(user, of, &number)].concat();
        Ok(SealedKey::new(sealed))
    }

    fn open(
        &self,
        user: UserId,
        of: FactorSecretUse,
        sealed: &SealedKey,
    ) -> Result<SecretSlice<u8>, FactorFault> {
        let secret = sealed.as_bytes().get(1..);
        let secret = secret.and_then(|bound| bound.strip_prefix(&Self::bound(user, of, &[])[..]));
        secret
            .map(|secret| secret.to_vec().into())
            .ok_or(FactorFault::Sealed(user))
    }

    fn reseal(
        &self,
        user: UserId,
        of: FactorSecretUse,
        sealed: &SealedKey,
    ) -> Result<Option<SealedKey>, FactorFault> {
        let secret = self.open(user, of, sealed)?;
        let master = self.master.load(Ordering::Relaxed);
        let bound = Self::bound(user, of, secret.expose_secret());
        let is_present = sealed.as_bytes().first() == Some(&master);
        Ok((!is_present).then(|| SealedKey::new([&[master], &bound[..]].concat())))
    }

    fn code_mac(
        &self,
        user: UserId,
        key: &SealedKey,
        code: &RecoveryCode,
    ) -> Result<CodeMac, FactorFault> {
        let key = self.open(user, FactorSecretUse::RecoveryCodes, key)?;
        let keyed = format!("{user} {:?} {:?}", key.expose_secret(), code.expose());
        let mut mac = [0; CodeMac::LENGTH];
        for (part, at) in mac.chunks_mut(11).zip(0..) {
            let tag = tag(&at.to_string(), &keyed);
            part.copy_from_slice(&tag.as_bytes()[..part.len()]);
        }
        Ok(CodeMac::from_bytes(mac))
    }
}

/// Computes codes of six digits. For tests only: they are not those of RFC 6238.
#[derive(Debug, Default)]
pub struct TestCodes;

impl TestCodes {
    /// The code of this secret at that time, as an app shows it that was set up with [`TotpEnrolment::secret`].
    ///
    /// # Panics
    /// If it is no secret of a [`TestCodes`].
    pub fn code(secret: &SecretString, at: Timestamp) -> OneTimeCode {
        let secret = secret.expose_secret().split('-');
        let secret: Vec<u8> = secret
            .map(|byte| byte.parse().expect("a byte of a secret"))
            .collect();
        Self::of(&secret, Self::step_at(at))
    }

    fn step_at(at: Timestamp) -> u64 {
        u64::try_from(at.as_seconds()).unwrap_or_default() / TotpStep::SECONDS
    }

    fn of(secret: &[u8], step: u64) -> OneTimeCode {
        let keyed = secret
            .iter()
            .fold(step, |state, byte| scramble(state ^ u64::from(*byte)));
        let digits = format!("{:06}", scramble(keyed) % 1_000_000);
        OneTimeCode::parse(&digits.into()).expect("six digits")
    }
}

impl OneTimeCodes for TestCodes {
    fn step(
        &self,
        secret: &SecretSlice<u8>,
        code: &OneTimeCode,
        at: Timestamp,
    ) -> Option<TotpStep> {
        let present = Self::step_at(at);
        [present + 1, present, present - 1]
            .into_iter()
            .find(|step| Self::of(secret.expose_secret(), *step).expose() == code.expose())
            .map(TotpStep::new)
    }

    fn enrolment(
        &self,
        secret: &SecretSlice<u8>,
        account: &str,
    ) -> Result<TotpEnrolment, FactorFault> {
        let bytes: Vec<_> = secret.expose_secret().iter().map(u8::to_string).collect();
        let text = bytes.join("-");
        Ok(TotpEnrolment {
            uri: format!("otpauth://totp/{account}?secret={text}").into(),
            qr_code: "<svg/>".into(),
            secret: text.into(),
        })
    }
}
