//! What changes of factors write, and when they count, as both stores have it.

use revolve_domain::{
    factors::{self, FactorUse, Reset},
    model::{
        AccountFactors, Challenge, ChallengeKind, Passkey, PasskeyId, PendingReset, RecoveryCodes,
        SetUpFactors, Timestamp, Totp, User,
    },
    ports::{FactorSignIn, ResetFactors},
};

/// What a change of factors writes.
pub(crate) enum FactorChange<'a> {
    /// New or confirmed or used, in the place of the former.
    Totp(&'a Totp),
    NoTotp,
    /// New or used, in the place of the former set.
    Codes(&'a RecoveryCodes),
    NoCodes,
    /// New, renamed or used.
    Passkey(&'a Passkey),
    NoPasskey(PasskeyId),
    Reset(PendingReset),
    NoReset,
    /// Of the account's row.
    SetUp(SetUpFactors),
}

impl<'a> FactorChange<'a> {
    /// What makes `after` of `before`.
    pub(crate) fn between(before: &AccountFactors, after: &'a AccountFactors) -> Vec<Self> {
        let mut changes = Vec::new();
        if after.totp != before.totp {
            changes.push(after.totp.as_ref().map_or(Self::NoTotp, Self::Totp));
        }
        if after.codes != before.codes {
            changes.push(after.codes.as_ref().map_or(Self::NoCodes, Self::Codes));
        }
        let removed = before.passkeys.iter().map(|passkey| passkey.id);
        let removed = removed.filter(|id| after.passkey(*id).is_none());
        changes.extend(removed.map(Self::NoPasskey));
        let kept = after.passkeys.iter();
        let kept = kept.filter(|passkey| before.passkey(passkey.id) != Some(passkey));
        changes.extend(kept.map(Self::Passkey));
        if after.reset != before.reset {
            changes.push(after.reset.map_or(Self::NoReset, Self::Reset));
        }
        if after.set_up() != before.set_up() {
            changes.push(Self::SetUp(after.set_up()));
        }
        changes
    }
}

/// The factors of an account that is made with a passkey.
pub(crate) fn first_factors(passkey: &Passkey, codes: Option<&RecoveryCodes>) -> AccountFactors {
    AccountFactors {
        passkeys: vec![passkey.clone()],
        codes: codes.cloned(),
        ..AccountFactors::default()
    }
}

/// Whether a challenge may be opened; `account` is that of its user, if there is one.
pub(crate) fn may_open(challenge: &Challenge, account: Option<&User>) -> bool {
    match challenge.kind {
        ChallengeKind::SignUp => challenge.user.is_some(),
        ChallengeKind::PasskeySignIn if challenge.user.is_none() => true,
        _ => account.is_some_and(|account| factors::holds(challenge, account)),
    }
}

/// Whether an open challenge can begin the session.
pub(crate) fn signs_in(challenge: &Challenge, sign_in: &FactorSignIn, account: &User) -> bool {
    match challenge.kind {
        ChallengeKind::SecondStep => factors::holds(challenge, account),
        ChallengeKind::PasskeySignIn => matches!(sign_in.used, FactorUse::Passkey { .. }),
        _ => false,
    }
}

/// What a reset makes of the account, which has these factors.
pub(crate) fn reset(
    account: &User,
    factors: &AccountFactors,
    when: ResetFactors,
    at: Timestamp,
) -> Reset {
    match when {
        ResetFactors::IfDue => factors::reset_by_order(account, factors, at),
        ResetFactors::Forced => factors::reset_at_once(account, factors),
    }
}
