//! What a proof grants: each commit spends it.

use super::{find_version, insert_proof, provable, void};
use crate::{
    sql::{self, RaiseEpoch, proof_columns},
    sqlite::{
        begin::{begin, insert, know_device},
        error::SqliteError,
        factors,
        query::{all, run},
        sessions::raise,
        users::{add, has_another, insert_account, is_taken, write_shown},
    },
};
use revolve_domain::{
    factors::may_begin,
    model::{EndReason, ProofVersion, SignUpIntent, Timestamp},
    ports::{
        AddOutcome, AddressChange, AddressOutcome, BeginOutcome, Invitation, ProvedSignIn,
        ProvedSignUp, Recovery, RecoveryOutcome, RecoveryStep, SignUpOutcome, VerifyOutcome,
    },
    proofs,
};
use rusqlite::Connection;

const VOID_SCOPE: &str = "DELETE FROM proofs WHERE scope = ?1";
const OF_USER: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE user_id = ?1"
);

pub(super) fn recover(
    conn: &Connection,
    recovery: &Recovery,
) -> Result<RecoveryOutcome, SqliteError> {
    let Some((proof, account)) = provable(conn, recovery.proof, recovery.at)? else {
        return Ok(RecoveryOutcome::Gone);
    };
    let before = factors::read(conn, account.user.id)?;
    let recovered = proofs::recovered(&proof, &account, before.clone(), recovery.at);
    let epoch = recovery.then.epoch();
    let Some(recovered) = recovered.filter(|recovered| Some(recovered.user.epoch) == epoch) else {
        return Ok(RecoveryOutcome::Gone);
    };
    let user = &recovered.user;
    if user.email != account.user.email && has_another(conn, user)? {
        return Ok(RecoveryOutcome::EmailTaken);
    }
    if let RecoveryStep::Session { unless_factor, .. } = &recovery.then
        && !may_begin(user, *unless_factor)
    {
        return Ok(RecoveryOutcome::FactorRequired);
    }
    let end = RaiseEpoch {
        kept: None,
        hash: Some(&recovery.hash),
        reason: EndReason::Recovered,
        at: recovery.at,
    };
    raise(conn, &account.user, &end)?;
    write_shown(conn, user)?;
    factors::save(conn, user.id, &before, &recovered.factors)?;
    match &recovery.then {
        RecoveryStep::Session { session, .. } => {
            insert(conn, session)?;
            know_device(conn, session)?;
        }
        RecoveryStep::Challenge(challenge) => factors::open(conn, challenge)?,
    }
    let mut void = all(conn, OF_USER, [user.id.to_string()], sql::proof)?;
    void.retain(|other| !proofs::outlives(other, &proof, &recovered));
    let void: Vec<_> = void.iter().map(|proof| proof.id).collect();
    self::void(conn, &void)?;
    Ok(RecoveryOutcome::Recovered(recovered.user))
}

pub(super) fn verify(
    conn: &Connection,
    proof: ProofVersion,
    at: Timestamp,
) -> Result<VerifyOutcome, SqliteError> {
    let provable = provable(conn, proof, at)?;
    let verified = provable.and_then(|(proof, account)| proofs::verified(&proof, &account, at));
    let Some(user) = verified else {
        return Ok(VerifyOutcome::Gone);
    };
    write_shown(conn, &user)?;
    void(conn, &[proof.id])?;
    Ok(VerifyOutcome::Verified(user))
}

pub(super) fn change_email(
    conn: &Connection,
    change: AddressChange,
) -> Result<AddressOutcome, SqliteError> {
    let provable = provable(conn, change.proof, change.at)?;
    let changed =
        provable.and_then(|(proof, account)| proofs::changed(&proof, &account, change.at));
    let Some(user) = changed else {
        return Ok(AddressOutcome::Gone);
    };
    if is_taken(conn, &user, change.at)? {
        return Ok(AddressOutcome::EmailTaken);
    }
    write_shown(conn, &user)?;
    void(conn, &[change.proof.id])?;
    if let Some(undo) = change.undo {
        insert_proof(conn, undo)?;
    }
    Ok(AddressOutcome::Changed(user))
}

pub(super) fn sign_up_proved(
    conn: &Connection,
    proved: &ProvedSignUp,
) -> Result<SignUpOutcome, SqliteError> {
    let proof = find_version(conn, proved.proof, proved.at)?;
    let Some((proof, intent)) = proof.and_then(proofs::intended) else {
        return Ok(SignUpOutcome::Gone);
    };
    let user = &proved.user;
    if is_taken(conn, user, proved.at)? {
        return Ok(SignUpOutcome::EmailTaken);
    }
    if let SignUpIntent::Passkey(passkey) = &intent
        && factors::has_credential(conn, &passkey.credential.id)?
    {
        return Ok(SignUpOutcome::CredentialTaken);
    }
    insert_account(conn, user, &intent.hash(), &proved.session)?;
    if let SignUpIntent::Passkey(passkey) = &intent {
        factors::save_first(conn, passkey, proved.codes.as_ref())?;
    }
    run(conn, VOID_SCOPE, [proof.scope()])?;
    Ok(SignUpOutcome::Created)
}

pub(super) fn invite(conn: &Connection, invitation: Invitation) -> Result<AddOutcome, SqliteError> {
    let outcome = add(
        conn,
        &invitation.user,
        &invitation.hash,
        invitation.proof.created_at,
    )?;
    if outcome == AddOutcome::Added {
        insert_proof(conn, invitation.proof)?;
    }
    Ok(outcome)
}

pub(super) fn sign_in_proved(
    conn: &Connection,
    sign_in: &ProvedSignIn,
) -> Result<Option<BeginOutcome>, SqliteError> {
    let provable = provable(conn, sign_in.proof, sign_in.at)?;
    if !provable.is_some_and(|(proof, account)| sign_in.counts(&proof, &account)) {
        return Ok(None);
    }
    let begun = begin(conn, &sign_in.begin)?;
    if matches!(begun, BeginOutcome::Begun { .. }) {
        void(conn, &[sign_in.proof.id])?;
    }
    Ok(Some(begun))
}
