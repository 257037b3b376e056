//! What changes factors and challenges.

use super::rows::{find, has_credential, open, read, save, save_first, spend};
use crate::{
    sql::{self, RaiseEpoch, Refusal, SessionChange},
    sqlite::{
        begin::begin,
        error::SqliteError,
        proofs::{insert_proof, provable, void},
        query::run,
        sessions::{admits, raise},
        users::{self, insert_account, is_taken},
    },
};
use revolve_domain::{
    factors::{self, Reset, Used},
    model::{
        AccountFactors, ChallengeKind, EndReason, PasswordHash, PendingReset, Timestamp, UserId,
    },
    ports::{
        BeginOutcome, FactorSignIn, FactorSignInOutcome, OpenChallenge, PasskeySignUp,
        PasskeySignUpOutcome, ResetFactors, ResetOrder, ResetOrderOutcome, ResetOutcome, StopReset,
        StopResetOutcome,
    },
    proofs,
};
use rusqlite::{Connection, params};

const VOID_STOPS: &str = "DELETE FROM proofs WHERE user_id = ?1 AND purpose = 'stop_factor_reset'";
/// The device of the session `?2`, if it was current at the epoch `?3`.
const KEEP_DEVICE: &str = "
    UPDATE known_devices SET epoch = ?4
    WHERE user_id = ?1 AND epoch >= ?3 AND device_id = (SELECT device_id FROM sessions WHERE id = ?2 AND user_id = ?1)";
const VOID_CHALLENGES: &str = "DELETE FROM challenges WHERE user_id = ?1";

pub(super) fn open_challenge(
    conn: &Connection,
    wanted: &OpenChallenge,
) -> Result<bool, SqliteError> {
    let challenge = &wanted.challenge;
    let account = challenge.user.map(|user| users::find(conn, user.id));
    let account = account.transpose()?.flatten();
    if !sql::may_open(challenge, account.as_ref().map(|account| &account.user)) {
        return Ok(false);
    }
    if let Some(shown) = wanted.spends {
        let provable = provable(conn, shown, challenge.created_at)?;
        let signs_in = provable.is_some_and(|(proof, owner)| {
            proofs::signs_in(&proof, &owner)
                && challenge.user.is_some_and(|user| user.id == owner.user.id)
        });
        if !signs_in {
            return Ok(false);
        }
        void(conn, &[shown.id])?;
    }
    open(conn, challenge)?;
    Ok(true)
}

pub(super) fn sign_in(
    conn: &Connection,
    sign_in: &FactorSignIn,
) -> Result<FactorSignInOutcome, SqliteError> {
    let user = sign_in.begin.session.user;
    let challenge = find(conn, sign_in.challenge, sign_in.at)?;
    let (Some(challenge), Some(account)) = (challenge, users::find(conn, user)?) else {
        return Ok(FactorSignInOutcome::Gone);
    };
    if !sql::signs_in(&challenge, sign_in, &account.user) {
        return Ok(FactorSignInOutcome::Gone);
    }
    let before = read(conn, user)?;
    let after = match factors::used(before.clone(), &sign_in.used, sign_in.at) {
        Used::Counts(after) => after,
        Used::CodeUsed => return Ok(FactorSignInOutcome::CodeUsed),
        Used::Gone => return Ok(FactorSignInOutcome::Gone),
    };
    let begun = begin(conn, &sign_in.begin)?;
    if matches!(begun, BeginOutcome::Begun { .. }) {
        save(conn, user, &before, &after)?;
        spend(conn, challenge.id)?;
    }
    Ok(FactorSignInOutcome::SignedIn(begun))
}

pub(super) fn sign_up(
    conn: &Connection,
    sign_up: &PasskeySignUp,
) -> Result<PasskeySignUpOutcome, SqliteError> {
    let id = sign_up.user.id;
    let challenge = find(conn, sign_up.challenge, sign_up.at)?;
    let is_open = challenge.is_some_and(|challenge| {
        challenge.kind == ChallengeKind::SignUp && challenge.user.is_some_and(|user| user.id == id)
    });
    if !is_open {
        return Ok(PasskeySignUpOutcome::Gone);
    }
    if is_taken(conn, &sign_up.user, sign_up.at)? {
        return Ok(PasskeySignUpOutcome::EmailTaken);
    }
    if has_credential(conn, &sign_up.passkey.credential.id)? {
        return Ok(PasskeySignUpOutcome::CredentialTaken);
    }
    let hash = PasswordHash::no_password();
    insert_account(conn, &sign_up.user, &hash, &sign_up.session)?;
    save_first(conn, &sign_up.passkey, Some(&sign_up.codes))?;
    spend(conn, sign_up.challenge)?;
    Ok(PasskeySignUpOutcome::Created)
}

pub(super) fn in_session<C: SessionChange>(
    conn: &Connection,
    change: &C,
) -> Result<C::Outcome, SqliteError> {
    let (user, asking, at) = change.asking();
    let Some(account) = users::find(conn, user)? else {
        return Ok(C::refused(Refusal::Superseded));
    };
    if !admits(conn, &account.user, asking, at)? {
        return Ok(C::refused(Refusal::Superseded));
    }
    let shown = change.challenge();
    if let Some((challenge, _)) = shown {
        let found = find(conn, challenge, at)?;
        if !found.is_some_and(|found| change.spends(&found, &account.user)) {
            return Ok(C::refused(Refusal::Gone));
        }
    }
    if let Some(credential) = change.credential()
        && has_credential(conn, credential)?
    {
        return Ok(C::refused(Refusal::CredentialTaken));
    }
    let before = read(conn, user)?;
    let (after, outcome) = match change.apply(&account, before.clone()) {
        Ok(applied) => applied,
        Err(outcome) => return Ok(outcome),
    };
    save(conn, user, &before, &after)?;
    if factors::raised(&account.user, &before, &after).is_some() {
        let end = RaiseEpoch::by_first_factor(asking.session, at);
        let epoch = raise(conn, &account.user, &end)?.number();
        let (id, session) = (user.to_string(), asking.session.to_string());
        let kept = params![id, session, account.user.epoch.number(), epoch];
        run(conn, KEEP_DEVICE, kept)?;
    }
    if let Some((challenge, _)) = shown {
        spend(conn, challenge)?;
    }
    Ok(outcome)
}

pub(super) fn order_reset(
    conn: &Connection,
    order: ResetOrder,
) -> Result<ResetOrderOutcome, SqliteError> {
    if users::find(conn, order.user)?.is_none() {
        return Ok(ResetOrderOutcome::NotFound);
    }
    let before = read(conn, order.user)?;
    if let Some(pending) = before.reset {
        return Ok(ResetOrderOutcome::Pending(pending.due_at));
    }
    if !factors::has_any(&before) {
        return Ok(ResetOrderOutcome::NoFactors);
    }
    let reset = Some(PendingReset {
        ordered_at: order.at,
        due_at: order.due_at,
    });
    let after = AccountFactors {
        reset,
        ..before.clone()
    };
    save(conn, order.user, &before, &after)?;
    if let Some(proof) = order.proof {
        insert_proof(conn, proof)?;
    }
    Ok(ResetOrderOutcome::Ordered)
}

pub(super) fn stop_reset(
    conn: &Connection,
    stop: StopReset,
    at: Timestamp,
) -> Result<StopResetOutcome, SqliteError> {
    let user = match stop {
        StopReset::Proof(shown) => {
            let provable = provable(conn, shown, at)?;
            let counts = provable.filter(|(proof, account)| proofs::stops_reset(proof, account));
            counts.map(|(_, account)| account.user.id)
        }
        StopReset::Session(user, asking) => {
            let account = users::find(conn, user)?;
            let admitted = account.map(|account| admits(conn, &account.user, asking, at));
            if !admitted.transpose()?.unwrap_or(false) {
                return Ok(StopResetOutcome::Superseded);
            }
            Some(user)
        }
    };
    let Some(user) = user else {
        return Ok(StopResetOutcome::Gone);
    };
    let before = read(conn, user)?;
    if before.reset.is_none() {
        return Ok(StopResetOutcome::Gone);
    }
    let after = AccountFactors {
        reset: None,
        ..before.clone()
    };
    save(conn, user, &before, &after)?;
    run(conn, VOID_STOPS, [user.to_string()])?;
    Ok(StopResetOutcome::Stopped(user))
}

pub(super) fn reset(
    conn: &Connection,
    user: UserId,
    when: ResetFactors,
    at: Timestamp,
) -> Result<ResetOutcome, SqliteError> {
    let Some(account) = users::find(conn, user)? else {
        return Ok(ResetOutcome::NotFound);
    };
    let (id, before) = (user.to_string(), read(conn, user)?);
    let (reset, after) = match sql::reset(&account.user, &before, when, at) {
        Reset::Nothing => return Ok(ResetOutcome::Nothing),
        Reset::Obsolete(after) => (None, after),
        Reset::Reset(reset, after) => (Some(reset), after),
    };
    save(conn, user, &before, &after)?;
    run(conn, VOID_STOPS, [&id])?;
    let Some(reset) = reset else {
        return Ok(ResetOutcome::Nothing);
    };
    let end = RaiseEpoch {
        kept: None,
        hash: None,
        reason: EndReason::FactorsReset,
        at,
    };
    raise(conn, &account.user, &end)?;
    run(conn, VOID_CHALLENGES, [&id])?;
    Ok(ResetOutcome::Reset(reset))
}
