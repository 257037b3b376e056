//! Proofs of mailboxes. Locks are taken in this order: the user's row, then proofs.

mod spend;

use super::{
    PostgresAccounts,
    database::{Intent, decoded},
    error::PostgresError,
    journal::{scrub, write_told},
    statement::Param,
    transaction::Transaction,
    users::not_added,
    values::PgTimestamp,
};
use crate::sql::{self, proof_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        EmailAddress, Locale, Proof, ProofId, ProofPurpose, ProofVersion, SignUpIntent, Timestamp,
        UserId,
    },
    ports::{
        AddOutcome, AddressChange, AddressOutcome, BeginOutcome, Invitation, OpenProof, Proofs,
        ProvedSignIn, ProvedSignUp, Recovery, RecoveryOutcome, SignUpOutcome, StandingProof,
        StoreError, VerifyOutcome,
    },
    proofs,
};
pub(super) use spend::Provable;
use spend::{Disown, Verify};
use uuid::Uuid;

/// Requests of one scope come one after the other, of whatever schema. Ends with the transaction.
const SERIAL: &str =
    "SELECT pg_advisory_xact_lock(hashtextextended('revolve proof ' || $1::text, 0))";
/// The account of a request. Its deletion waits for the end of the transaction, and scrubs what that tells.
const HOLD: &str = "SELECT 1 FROM users WHERE id = $1 FOR KEY SHARE";
/// Locks them: an attempt that is counted meanwhile must not be lost when the row is stored once more.
const OF_SCOPE: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE scope = $1 ORDER BY id FOR UPDATE"
);
const VOID: &str = "DELETE FROM proofs WHERE id = ANY ($1::uuid[])";
const INSERT: &str = "
    INSERT INTO proofs (id, purpose, scope, email, email_typed, user_id, bound_epoch, bound_hash, bound_email, asker, password_hash, locale,
        created_at, expires_at, attempts_left, serial)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
const WITHHOLD: &str = "DELETE FROM deliveries WHERE id = ANY ($1::uuid[])";
const FIND: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE id = $1 AND expires_at > $2"
);
const UNDO_OF: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE purpose = 'undo_email' AND email IN ($1, $2) AND expires_at > $3 AND attempts_left > 0 \
     ORDER BY created_at DESC, id DESC LIMIT 1"
);
const ATTEMPT: &str = concat!(
    "UPDATE proofs SET attempts_left = attempts_left - 1 \
     WHERE id = $1 AND expires_at > $2 AND purpose = $3 AND attempts_left > 0 RETURNING ",
    proof_columns!()
);
const FORGIVE: &str =
    "UPDATE proofs SET attempts_left = least(attempts_left + 1, $2) WHERE id = $1";
const STANDING: &str = "
    SELECT id AS proof_id, serial, email, email_typed, expires_at FROM proofs
    WHERE id = ANY ($1::uuid[]) AND expires_at > $2";
const PRUNE: &str = "
    DELETE FROM proofs WHERE id = ANY (ARRAY(SELECT id FROM proofs WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)) RETURNING 1";

#[async_trait]
impl Proofs for PostgresAccounts {
    async fn open(
        &self,
        open: &OpenProof,
        tell: &Tell<StandingProof>,
    ) -> Result<StandingProof, StoreError> {
        self.db
            .transact("store a proof", &Open { open, tell })
            .await
    }

    async fn find(&self, proof: ProofId, at: Timestamp) -> Result<Option<Proof>, StoreError> {
        self.db
            .look_up(
                "read a proof",
                FIND,
                &[proof.as_uuid(), &PgTimestamp(at)],
                sql::proof,
            )
            .await
    }

    async fn undo_of(
        &self,
        address: &EmailAddress,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        let asked: [&dyn Param; 3] = [&address.key(), &address.former(), &PgTimestamp(at)];
        self.db
            .look_up("read a proof by its address", UNDO_OF, &asked, sql::proof)
            .await
    }

    async fn attempt(
        &self,
        proof: ProofId,
        purpose: ProofPurpose,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        let tried: [&dyn Param; 3] = [proof.as_uuid(), &PgTimestamp(at), &purpose.as_str()];
        let rows = self.db.write(ATTEMPT, &tried).await;
        rows.and_then(|rows| decoded(&rows, sql::proof))
            .map(|found| found.into_iter().next())
            .map_err(|error| self.db.error("count an attempt", error))
    }

    async fn forgive(&self, proof: ProofId) -> Result<(), StoreError> {
        let attempts: [&dyn Param; 2] = [proof.as_uuid(), &i64::from(Proof::ATTEMPTS)];
        let done = self.db.write(FORGIVE, &attempts).await;
        done.map(drop)
            .map_err(|error| self.db.error("give back an attempt", error))
    }

    async fn recover(
        &self,
        recovery: &Recovery,
        tell: &Tell<RecoveryOutcome>,
    ) -> Result<RecoveryOutcome, StoreError> {
        let taken = |error: &PostgresError| {
            error
                .is_taken_email()
                .then_some(RecoveryOutcome::EmailTaken)
        };
        self.db
            .change_or("recover an account", recovery.clone(), tell, taken)
            .await
    }

    async fn verify(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<VerifyOutcome>,
    ) -> Result<VerifyOutcome, StoreError> {
        self.db
            .change("verify an address", Verify { proof, at }, tell)
            .await
    }

    async fn disown(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<Option<UserId>>,
    ) -> Result<Option<UserId>, StoreError> {
        self.db
            .change("delete an account", Disown { proof, at }, tell)
            .await
    }

    async fn change_email(
        &self,
        change: &AddressChange,
        tell: &Tell<AddressOutcome>,
    ) -> Result<AddressOutcome, StoreError> {
        let taken =
            |error: &PostgresError| error.is_taken_email().then_some(AddressOutcome::EmailTaken);
        self.db
            .change_or("change an address", change.clone(), tell, taken)
            .await
    }

    async fn sign_up(
        &self,
        sign_up: &ProvedSignUp,
        tell: &Tell<SignUpOutcome>,
    ) -> Result<SignUpOutcome, StoreError> {
        let taken = |error: &PostgresError| {
            let (email, credential) = (error.is_taken_email(), error.is_taken_credential());
            email
                .then_some(SignUpOutcome::EmailTaken)
                .or(credential.then_some(SignUpOutcome::CredentialTaken))
        };
        self.db
            .change_or("create an account", sign_up.clone(), tell, taken)
            .await
    }

    async fn invite(
        &self,
        invitation: &Invitation,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError> {
        self.db
            .change_or("invite to an account", invitation, tell, not_added)
            .await
    }

    async fn sign_in(
        &self,
        sign_in: &ProvedSignIn,
        tell: &Tell<Option<BeginOutcome>>,
    ) -> Result<Option<BeginOutcome>, StoreError> {
        self.db.change("begin a session", sign_in, tell).await
    }

    async fn standing(
        &self,
        proofs: &[ProofId],
        at: Timestamp,
    ) -> Result<Vec<StandingProof>, StoreError> {
        let asked: [&dyn Param; 2] = [&uuids(proofs), &PgTimestamp(at)];
        self.db
            .read("read proofs", STANDING, &asked, sql::standing_proof)
            .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let pruned = self
            .db
            .write(PRUNE, &[&PgTimestamp(before), &i64::from(limit)])
            .await;
        pruned
            .map(|rows| rows.len() as u64)
            .map_err(|error| self.db.error("prune proofs", error))
    }
}

/// `Proofs::open`.
struct Open<'a> {
    open: &'a OpenProof,
    tell: &'a Tell<StandingProof>,
}

impl Intent for Open<'_> {
    type Answer = StandingProof;

    async fn apply(&self, tx: &Transaction<'_>) -> Result<StandingProof, PostgresError> {
        let account = self.open.account(self.tell);
        // A proof's id is that of no account: the same work for all.
        let row = account.map_or(*self.open.proof.id.as_uuid(), |account| *account.as_uuid());
        let hold = tx.prepare_cached(HOLD).await?;
        let is_there = tx.query_opt(&hold, &[&row]).await?.is_some();
        let gone = account.filter(|_| !is_there);
        let opened = insert_proof(tx, self.open.proof.clone()).await?;
        let (entries, mails) = self.tell.of(&opened);
        write_told(tx, self.tell.at, &entries, &mails).await?;
        if let Some(gone) = gone {
            scrub(tx, gone.as_uuid()).await?;
        }
        // The same work for all: without mails to take back, those of other ids.
        let mails = mails.iter().map(|mail| {
            if self.open.withheld || gone.is_some() {
                *mail.id.as_uuid()
            } else {
                *mail.id.derive("withheld").as_uuid()
            }
        });
        let withhold = tx.prepare_cached(WITHHOLD).await?;
        tx.execute(&withhold, &[&mails.collect::<Vec<Uuid>>()])
            .await?;
        Ok(opened)
    }
}

/// Stores a new proof, or its former one once more, and deletes what it makes void.
pub(super) async fn insert_proof(
    tx: &Transaction<'_>,
    new: Proof,
) -> Result<StandingProof, PostgresError> {
    let scope = new.scope();
    serial(tx, &scope).await?;
    let of_scope = tx.prepare_cached(OF_SCOPE).await?;
    let former = decoded(&tx.query(&of_scope, &[&scope]).await?, sql::proof)?;
    let proofs::Opening { proof, void } = proofs::open(former, new);
    self::void(tx, &void).await?;
    let binding = proof.binding.as_ref();
    let row: [&dyn Param; 16] = [
        proof.id.as_uuid(),
        &proof.purpose.as_str(),
        &scope,
        &proof.address.key(),
        &sql::typed(&proof.address),
        &proof.user.as_ref().map(UserId::as_uuid),
        &binding.map(|binding| i64::from(binding.epoch.number())),
        &binding.map(|binding| &binding.hash.as_bytes()[..]),
        &binding.map(|binding| binding.email.as_str()),
        &&proof.asker.as_bytes()[..],
        &proof.intent.as_ref().map(SignUpIntent::stored),
        &proof.locale.as_ref().map(Locale::as_str),
        &PgTimestamp(proof.created_at),
        &PgTimestamp(proof.expires_at),
        &i64::from(proof.attempts_left),
        &i64::from(proof.serial),
    ];
    let insert = tx.prepare_cached(INSERT).await?;
    tx.execute(&insert, &row).await?;
    Ok(StandingProof::from(&proof))
}

async fn serial(tx: &Transaction<'_>, scope: &str) -> Result<(), PostgresError> {
    let serial = tx.prepare_cached(SERIAL).await?;
    tx.execute(&serial, &[&scope]).await?;
    Ok(())
}

async fn find(
    tx: &Transaction<'_>,
    proof: ProofId,
    at: Timestamp,
) -> Result<Option<Proof>, PostgresError> {
    let find = tx.prepare_cached(FIND).await?;
    let asked: [&dyn Param; 2] = [proof.as_uuid(), &PgTimestamp(at)];
    let found = tx.query_opt(&find, &asked).await?;
    Ok(found.map(|row| sql::proof(&row)).transpose()?)
}

pub(super) async fn void(tx: &Transaction<'_>, proofs: &[ProofId]) -> Result<(), PostgresError> {
    let delete = tx.prepare_cached(VOID).await?;
    tx.execute(&delete, &[&uuids(proofs)]).await?;
    Ok(())
}

fn uuids(proofs: &[ProofId]) -> Vec<Uuid> {
    proofs.iter().map(|proof| *proof.as_uuid()).collect()
}
