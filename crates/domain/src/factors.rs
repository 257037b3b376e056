//! The rules of factors, pure. Stores call them within their transactions, under the lock of the account's row.

use crate::model::{
    AccountFactors, Challenge, CodeMac, Epoch, HashKind, Passkey, PasskeyId, PasswordHash,
    RecoveryCodes, Timestamp, Totp, TotpStep, User,
};

/// What was shown of a factor, and what the store keeps of it so that it does not count again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorUse {
    /// A code of an authenticator app, of this step.
    Totp {
        /// When the app was set up whose secret the code was compared with: another one may have taken its place since.
        set_up_at: Timestamp,
        /// The step.
        step: TotpStep,
    },
    /// A recovery code with this MAC.
    RecoveryCode {
        /// The MAC under the key of the account's set.
        mac: CodeMac,
    },
    /// A passkey.
    Passkey {
        /// Which.
        id: PasskeyId,
        /// The signature counter that it showed. It is kept whatever it was before.
        counter: u32,
        /// The backup state that it showed.
        backed_up: bool,
    },
}

/// What a use of a factor makes of the account's factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Used {
    /// It counts; the factors as they are now. Of a passkey only [`used_at`](Passkey::used_at), counter and backup state are others, of an
    /// authenticator app only the last step.
    Counts(AccountFactors),
    /// The code was used before: its step is not later than the last one, or the recovery code is gone. Nothing may change.
    CodeUsed,
    /// The account has no such factor any more, or another app in its place. Nothing may change.
    Gone,
}

/// Uses a factor of an account.
pub fn used(mut factors: AccountFactors, shown: &FactorUse, at: Timestamp) -> Used {
    match *shown {
        FactorUse::Totp { set_up_at, step } => {
            let is_it =
                |totp: &&mut Totp| totp.confirmed_at.is_some() && totp.created_at == set_up_at;
            let Some(totp) = factors.totp.as_mut().filter(is_it) else {
                return Used::Gone;
            };
            if !is_later(totp, step) {
                return Used::CodeUsed;
            }
            totp.last_step = Some(step);
        }
        FactorUse::RecoveryCode { mac } => {
            let Some(codes) = factors.codes.as_mut() else {
                return Used::Gone;
            };
            let before = codes.macs.len();
            codes.macs.retain(|known| *known != mac);
            if codes.macs.len() == before {
                return Used::CodeUsed;
            }
        }
        FactorUse::Passkey {
            id,
            counter,
            backed_up,
        } => {
            let passkey = factors.passkeys.iter_mut().find(|passkey| passkey.id == id);
            let Some(passkey) = passkey else {
                return Used::Gone;
            };
            passkey.used_at = Some(at);
            passkey.credential.counter = counter;
            passkey.credential.backed_up = backed_up;
        }
    }
    Used::Counts(factors)
}

/// Whether a code of this step can count: the compare of the compare-and-set.
pub fn is_later(totp: &Totp, step: TotpStep) -> bool {
    totp.last_step.is_none_or(|last| last < step)
}

/// Whether the MAC is one of the set's, in a time that does not depend on which.
pub fn has_code(codes: &RecoveryCodes, mac: &CodeMac) -> bool {
    // Looks at all of them.
    codes.macs.iter().filter(|known| *known == mac).count() > 0
}

/// Whether the challenge may be opened, and whether it counts for the account as it is: not disabled, and of the epoch of the challenge.
pub fn holds(challenge: &Challenge, account: &User) -> bool {
    let user = challenge.user;
    user.is_some_and(|user| user.id == account.id && user.epoch == account.epoch)
        && account.disabled_at.is_none()
}

/// A factor that its user removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovedFactor {
    /// The authenticator app, confirmed or not.
    Totp,
    /// A passkey.
    Passkey(PasskeyId),
}

/// What the removal of a factor makes of the account's factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is removed; the factors as they are now. The recovery codes and an ordered reset, which has nothing left to do, go with the last factor.
    Removed(AccountFactors),
    /// The account has no such factor.
    NotFound,
    /// The account would have neither a password nor a passkey, or no factor where it must have one. Nothing may change.
    LastFactor,
}

/// Removes a factor. `needs_factor`: the account must keep one.
pub fn removed(
    mut factors: AccountFactors,
    hash: &PasswordHash,
    factor: RemovedFactor,
    needs_factor: bool,
) -> Removal {
    let before = factors.set_up();
    match factor {
        RemovedFactor::Totp => {
            if factors.totp.take().is_none() {
                return Removal::NotFound;
            }
        }
        RemovedFactor::Passkey(id) => {
            if factors.passkey(id).is_none() {
                return Removal::NotFound;
            }
            factors.passkeys.retain(|passkey| passkey.id != id);
        }
    }
    let after = factors.set_up();
    let has_way_in = hash.kind() != HashKind::NoPassword || after.passkey;
    let had_way_in = hash.kind() != HashKind::NoPassword || before.passkey;
    let is_last_factor = needs_factor && before.any() && !after.any();
    if is_last_factor || (had_way_in && !has_way_in) {
        return Removal::LastFactor;
    }
    if !after.any() {
        factors.codes = None;
        factors.reset = None;
    }
    Removal::Removed(factors)
}

/// Of the factors those, and of the recovery codes the set, that count since a time which `is_kept`. An app that waits for its first code counts for
/// nothing. Without a factor that is set up the recovery codes and an ordered reset go as well.
pub fn counting_since(
    mut factors: AccountFactors,
    is_kept: impl Fn(Timestamp) -> bool,
) -> AccountFactors {
    let totp = factors.totp;
    factors.totp = totp.filter(|totp| totp.confirmed_at.is_some_and(&is_kept));
    factors
        .passkeys
        .retain(|passkey| is_kept(passkey.created_at));
    factors.codes = factors.codes.filter(|codes| is_kept(codes.created_at));
    if !factors.set_up().any() {
        factors.codes = None;
        factors.reset = None;
    }
    factors
}

/// Whether one more passkey may be added.
pub fn has_room(factors: &AccountFactors) -> bool {
    factors.passkeys.len() < Passkey::MOST
}

/// The recovery codes after a factor is added: those of the account, or the new set if it has none.
pub fn codes_after(factors: &AccountFactors, new: &RecoveryCodes) -> RecoveryCodes {
    factors.codes.clone().unwrap_or_else(|| new.clone())
}

/// The epoch that the account gets by a change that makes `after` of its factors; `None` if it keeps its own. The first factor raises it, and only the
/// session that adds it goes on: whoever has begun another one with the password alone must not have what needs a factor from then on.
pub fn raised(account: &User, before: &AccountFactors, after: &AccountFactors) -> Option<Epoch> {
    let is_first = !before.set_up().any() && after.set_up().any();
    is_first.then(|| account.epoch.next())
}

/// Whether a session of the account may begin without a factor, as the store has the account.
pub const fn may_begin(account: &User, unless_factor: bool) -> bool {
    !(unless_factor && account.factors.any())
}

/// Whether there is anything to reset.
pub fn has_any(factors: &AccountFactors) -> bool {
    factors.set_up().any() || factors.codes_left() > 0
}

/// What a reset by an operator makes of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "made once a reset, and mostly the largest"
)]
pub enum Reset {
    /// None is due, or there is nothing to reset. Nothing may change.
    Nothing,
    /// What was to be reset is gone already. Only the order goes; the factors as they are now.
    Obsolete(AccountFactors),
    /// All sessions end; account and factors as they are now. The password stays.
    Reset(User, AccountFactors),
}

/// Resets what counted when the reset was ordered, if it is due. What was set up after that stays: nobody has ordered that it goes.
pub fn reset_by_order(account: &User, factors: &AccountFactors, at: Timestamp) -> Reset {
    let Some(order) = factors.reset.filter(|order| at >= order.due_at) else {
        return Reset::Nothing;
    };
    let without = |factors: AccountFactors| AccountFactors {
        reset: None,
        ..factors
    };
    let left = counting_since(factors.clone(), |since| since > order.ordered_at);
    let is_same = left.confirmed_totp() == factors.confirmed_totp()
        && left.passkeys == factors.passkeys
        && left.codes_left() == factors.codes_left();
    if is_same {
        return Reset::Obsolete(without(factors.clone()));
    }
    reset_to(account, without(left))
}

/// Resets all at once, ordered or not.
pub fn reset_at_once(account: &User, factors: &AccountFactors) -> Reset {
    if !has_any(factors) {
        return Reset::Nothing;
    }
    reset_to(account, AccountFactors::default())
}

fn reset_to(account: &User, left: AccountFactors) -> Reset {
    let user = User {
        epoch: account.epoch.next(),
        kept_session: None,
        factors: left.set_up(),
        ..account.clone()
    };
    Reset::Reset(user, left)
}
