//! What a proof grants: each commit spends it.

use super::{find, insert_proof, serial, void};
use crate::postgres::{
    database::{Intent, decoded},
    end::{Delete, LockedUser},
    error::PostgresError,
    factors,
    statement::Param,
    transaction::Transaction,
    users::{ADD, insert_account, refuse_taken},
    values::PgTimestamp,
    write::{SessionRow, UserRow, insert_session, know_device},
};
use crate::sql::{self, RaiseEpoch, credential_columns, forget_legacy, proof_columns};
use revolve_domain::{
    factors::may_begin,
    model::{Credentials, EndReason, Proof, ProofVersion, SignUpIntent, Timestamp, User, UserId},
    ports::{
        AddOutcome, AddressChange, AddressOutcome, BeginOutcome, Invitation, ProvedSignIn,
        ProvedSignUp, Recovery, RecoveryOutcome, RecoveryStep, SignUpOutcome, VerifyOutcome,
    },
    proofs,
};

const VOID_SCOPE: &str = "DELETE FROM proofs WHERE scope = $1";
const LOCK: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE id = $1 AND expires_at > $2 FOR UPDATE"
);
const OF_USER: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE user_id = $1"
);
const ACCOUNT: &str = concat!(
    "SELECT ",
    credential_columns!(),
    " FROM users u WHERE u.id = $1"
);
const SET_ADDRESS: &str = concat!(
    "UPDATE users SET ",
    forget_legacy!("$2"),
    ", email = $2, email_typed = $3, email_verified_at = $4, version = $5 WHERE id = $1"
);
const BEGIN: &str = concat!("WITH device AS (", know_device!(), ") ", insert_session!());

/// A proof and its account, both locked.
pub(in crate::postgres) struct Provable {
    pub(in crate::postgres) proof: Proof,
    locked: LockedUser,
    pub(in crate::postgres) account: Credentials,
}

impl Provable {
    pub(in crate::postgres) async fn lock(
        tx: &Transaction<'_>,
        shown: ProofVersion,
        at: Timestamp,
    ) -> Result<Option<Self>, PostgresError> {
        let found = find(tx, shown.id, at).await?;
        let Some(user) = found.and_then(|proof| proof.user) else {
            return Ok(None);
        };
        let Some(locked) = LockedUser::lock(tx, user).await? else {
            return Ok(None);
        };
        // Another confirmation may have spent it meanwhile, or another mail been asked for.
        let lock = tx.prepare_cached(LOCK).await?;
        let asked: [&dyn Param; 2] = [shown.id.as_uuid(), &PgTimestamp(at)];
        let Some(proof) = tx.query_opt(&lock, &asked).await? else {
            return Ok(None);
        };
        let proof = sql::proof(&proof)?;
        if proof.version() != shown {
            return Ok(None);
        }
        let account = tx.prepare_cached(ACCOUNT).await?;
        let account = tx.query_one(&account, &[user.as_uuid()]).await?;
        Ok(Some(Self {
            proof,
            locked,
            account: sql::credentials(&account)?,
        }))
    }
}

impl Intent for Recovery {
    type Answer = RecoveryOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<RecoveryOutcome, PostgresError> {
        let Some(found) = Provable::lock(tx, self.proof, self.at).await? else {
            return Ok(RecoveryOutcome::Gone);
        };
        let before = factors::read(tx, found.account.user.id).await?;
        let recovered = proofs::recovered(&found.proof, &found.account, before.clone(), self.at);
        let epoch = self.then.epoch();
        let Some(recovered) = recovered.filter(|recovered| Some(recovered.user.epoch) == epoch)
        else {
            return Ok(RecoveryOutcome::Gone);
        };
        let user = &recovered.user;
        if let RecoveryStep::Session { unless_factor, .. } = &self.then
            && !may_begin(user, *unless_factor)
        {
            return Ok(RecoveryOutcome::FactorRequired);
        }
        let raise = RaiseEpoch {
            kept: None,
            hash: Some(&self.hash),
            reason: EndReason::Recovered,
            at: self.at,
        };
        found.locked.raise(tx, raise).await?;
        set_address(tx, user).await?;
        if user.email != found.account.user.email {
            refuse_taken(tx, user, None).await?;
        }
        factors::save(tx, user.id, &before, &recovered.factors).await?;
        match &self.then {
            RecoveryStep::Session { session, .. } => {
                let begin = tx.prepare_cached(BEGIN).await?;
                tx.execute(&begin, &SessionRow::from(session).params())
                    .await?;
            }
            RecoveryStep::Challenge(challenge) => factors::open(tx, challenge).await?,
        }
        let of_user = tx.prepare_cached(OF_USER).await?;
        let others = tx.query(&of_user, &[user.id.as_uuid()]).await?;
        let mut others = decoded(&others, sql::proof)?;
        others.retain(|other| !proofs::outlives(other, &found.proof, &recovered));
        let gone: Vec<_> = others.iter().map(|proof| proof.id).collect();
        void(tx, &gone).await?;
        Ok(RecoveryOutcome::Recovered(recovered.user))
    }
}

pub(super) struct Verify {
    pub(super) proof: ProofVersion,
    pub(super) at: Timestamp,
}

impl Intent for Verify {
    type Answer = VerifyOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<VerifyOutcome, PostgresError> {
        let Some(found) = Provable::lock(tx, self.proof, self.at).await? else {
            return Ok(VerifyOutcome::Gone);
        };
        let Some(user) = proofs::verified(&found.proof, &found.account, self.at) else {
            return Ok(VerifyOutcome::Gone);
        };
        set_address(tx, &user).await?;
        void(tx, &[self.proof.id]).await?;
        Ok(VerifyOutcome::Verified(user))
    }
}

pub(super) struct Disown {
    pub(super) proof: ProofVersion,
    pub(super) at: Timestamp,
}

impl Intent for Disown {
    type Answer = Option<UserId>;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<Option<UserId>, PostgresError> {
        let Some(found) = Provable::lock(tx, self.proof, self.at).await? else {
            return Ok(None);
        };
        let delete = Delete {
            user: found.account.user.id,
            asking: None,
            at: self.at,
        };
        let gone = proofs::disowns(&found.proof, &found.account) && delete.apply(tx).await?;
        Ok(gone.then_some(delete.user))
    }
}

impl Intent for AddressChange {
    type Answer = AddressOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<AddressOutcome, PostgresError> {
        let Some(found) = Provable::lock(tx, self.proof, self.at).await? else {
            return Ok(AddressOutcome::Gone);
        };
        let Some(user) = proofs::changed(&found.proof, &found.account, self.at) else {
            return Ok(AddressOutcome::Gone);
        };
        set_address(tx, &user).await?;
        refuse_taken(tx, &user, Some(self.at)).await?;
        void(tx, &[self.proof.id]).await?;
        if let Some(undo) = self.undo.clone() {
            insert_proof(tx, undo).await?;
        }
        Ok(AddressOutcome::Changed(user))
    }
}

impl Intent for ProvedSignUp {
    type Answer = SignUpOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<SignUpOutcome, PostgresError> {
        let Some(found) = find(tx, self.proof.id, self.at).await? else {
            return Ok(SignUpOutcome::Gone);
        };
        // Of the sign-ups of an address one at a time is proved, and none is asked for meanwhile.
        serial(tx, &found.scope()).await?;
        let found = find(tx, self.proof.id, self.at).await?;
        let found = found.filter(|found| found.version() == self.proof);
        let Some((proof, intent)) = found.and_then(proofs::intended) else {
            return Ok(SignUpOutcome::Gone);
        };
        let user = &self.user;
        insert_account(tx, user, &intent.hash(), &self.session, self.at).await?;
        if let SignUpIntent::Passkey(passkey) = &intent {
            factors::save_first(tx, passkey, self.codes.as_ref()).await?;
        }
        let void = tx.prepare_cached(VOID_SCOPE).await?;
        tx.execute(&void, &[&proof.scope()]).await?;
        Ok(SignUpOutcome::Created)
    }
}

impl Intent for Invitation {
    type Answer = AddOutcome;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<AddOutcome, PostgresError> {
        let add = tx.prepare_cached(ADD).await?;
        let row = UserRow::new(&self.user, &self.hash);
        tx.execute(&add, &row.params()).await?;
        refuse_taken(tx, &self.user, Some(self.proof.created_at)).await?;
        insert_proof(tx, self.proof.clone()).await?;
        Ok(AddOutcome::Added)
    }
}

impl Intent for ProvedSignIn {
    type Answer = Option<BeginOutcome>;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<Option<BeginOutcome>, PostgresError> {
        let Some(found) = Provable::lock(tx, self.proof, self.at).await? else {
            return Ok(None);
        };
        if !self.counts(&found.proof, &found.account) {
            return Ok(None);
        }
        let begun = self.begin.apply(tx).await?;
        if matches!(begun, BeginOutcome::Begun { .. }) {
            void(tx, &[self.proof.id]).await?;
        }
        Ok(Some(begun))
    }
}

async fn set_address(tx: &Transaction<'_>, user: &User) -> Result<(), PostgresError> {
    let set = tx.prepare_cached(SET_ADDRESS).await?;
    let row: [&dyn Param; 5] = [
        user.id.as_uuid(),
        &user.email.key(),
        &sql::typed(&user.email),
        &user.email_verified_at.map(PgTimestamp),
        &sql::version_number(user.version),
    ];
    tx.execute(&set, &row).await?;
    Ok(())
}
