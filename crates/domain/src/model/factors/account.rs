//! The factors of an account.

use super::{Passkey, RecoveryCodes, Totp};
use crate::model::{PasskeyId, Timestamp};

/// A kind of factor. Its name is that of the API, of stores and of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorKind {
    /// A code of an authenticator app.
    Totp,
    /// A passkey.
    Passkey,
    /// A recovery code. It never counts as a factor that is set up.
    RecoveryCode,
}

impl FactorKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Totp, Self::Passkey, Self::RecoveryCode];

    /// The stable name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery_code",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Which kinds of factor an account has set up. It is part of the account, so that one read of a session or an account says it: stores keep it
/// with the account's row, as [`Self::bits`], in every commit that adds or removes a factor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetUpFactors {
    /// An authenticator app that was confirmed.
    pub totp: bool,
    /// At least one passkey.
    pub passkey: bool,
}

impl SetUpFactors {
    const TOTP: u8 = 1;
    const PASSKEY: u8 = 2;

    /// Whether there is any.
    pub const fn any(self) -> bool {
        self.totp || self.passkey
    }

    /// As stores keep it.
    pub const fn bits(self) -> u8 {
        (if self.totp { Self::TOTP } else { 0 }) | (if self.passkey { Self::PASSKEY } else { 0 })
    }

    /// Reads [`Self::bits`].
    pub const fn from_bits(bits: u8) -> Self {
        Self {
            totp: bits & Self::TOTP != 0,
            passkey: bits & Self::PASSKEY != 0,
        }
    }
}

/// A reset of all factors that an operator has ordered and that does not count yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PendingReset {
    /// When it was ordered.
    pub ordered_at: Timestamp,
    /// From when on it counts.
    pub due_at: Timestamp,
}

/// All factors of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountFactors {
    /// The authenticator app, confirmed or not.
    pub totp: Option<Totp>,
    /// The passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// The recovery codes; `None` if no set was made, or it went with the last factor.
    pub codes: Option<RecoveryCodes>,
    /// The reset that an operator has ordered.
    pub reset: Option<PendingReset>,
}

impl AccountFactors {
    /// The authenticator app, if it was confirmed.
    pub fn confirmed_totp(&self) -> Option<&Totp> {
        self.totp
            .as_ref()
            .filter(|totp| totp.confirmed_at.is_some())
    }

    /// The kinds that are set up.
    pub fn set_up(&self) -> SetUpFactors {
        SetUpFactors {
            totp: self.confirmed_totp().is_some(),
            passkey: !self.passkeys.is_empty(),
        }
    }

    /// How many recovery codes can still be used.
    pub fn codes_left(&self) -> usize {
        self.codes.as_ref().map_or(0, |codes| codes.macs.len())
    }

    /// What a second step can be done with, in the order in which it should be offered.
    pub fn kinds(&self) -> Vec<FactorKind> {
        let set_up = self.set_up();
        [
            (set_up.passkey, FactorKind::Passkey),
            (set_up.totp, FactorKind::Totp),
            (self.codes_left() > 0, FactorKind::RecoveryCode),
        ]
        .into_iter()
        .filter_map(|(has, kind)| has.then_some(kind))
        .collect()
    }

    /// The passkey of that id.
    pub fn passkey(&self, id: PasskeyId) -> Option<&Passkey> {
        self.passkeys.iter().find(|passkey| passkey.id == id)
    }
}
