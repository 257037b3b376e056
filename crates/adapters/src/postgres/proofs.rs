//! Proofs of mailboxes. Locks are taken in this order: the user's row, then proofs.

use super::{
    PostgresAccounts,
    database::{Intent, decoded},
    end::{Delete, LockedUser},
    error::PostgresError,
    journal::{scrub, write_told},
    statement::Param,
    transaction::Transaction,
    users::{ADD, CREATE, Undos, not_added, refuse_taken},
    values::PgTimestamp,
    write::{SessionRow, UserRow, insert_session, know_device},
};
use crate::sql::{self, RaiseEpoch, credential_columns, proof_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        Credentials, EmailAddress, EndReason, Locale, PasswordHash, Proof, ProofId, ProofPurpose,
        ProofVersion, Timestamp, User, UserId,
    },
    ports::{
        AddOutcome, AddressChange, AddressOutcome, BeginOutcome, Invitation, OpenProof, Proofs,
        ProvedSignIn, ProvedSignUp, Recovery, RecoveryOutcome, SignUpOutcome, StandingProof,
        StoreError, VerifyOutcome,
    },
    proofs,
};
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
const VOID_SCOPE: &str = "DELETE FROM proofs WHERE scope = $1";
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
const STANDING: &str = "
    SELECT id AS proof_id, serial, email, email_typed, expires_at FROM proofs
    WHERE id = ANY ($1::uuid[]) AND expires_at > $2";
const PRUNE: &str = "
    DELETE FROM proofs WHERE id = ANY (ARRAY(SELECT id FROM proofs WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)) RETURNING 1";
const SET_ADDRESS: &str = "UPDATE users SET email = $2, email_typed = $3, email_verified_at = $4, version = $5 WHERE id = $1";
const BEGIN: &str = concat!("WITH device AS (", know_device!(), ") ", insert_session!());

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
        let taken =
            |error: &PostgresError| error.is_taken_email().then_some(SignUpOutcome::EmailTaken);
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
async fn insert_proof(tx: &Transaction<'_>, new: Proof) -> Result<StandingProof, PostgresError> {
    let scope = new.scope();
    serial(tx, &scope).await?;
    let of_scope = tx.prepare_cached(OF_SCOPE).await?;
    let former = decoded(&tx.query(&of_scope, &[&scope]).await?, sql::proof)?;
    let proofs::Opening { proof, void } = proofs::open(former, new);
    delete(tx, &void).await?;
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
        &proof.intent.as_ref().map(PasswordHash::expose),
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

async fn delete(tx: &Transaction<'_>, proofs: &[ProofId]) -> Result<(), PostgresError> {
    let void = tx.prepare_cached(VOID).await?;
    tx.execute(&void, &[&uuids(proofs)]).await?;
    Ok(())
}

fn uuids(proofs: &[ProofId]) -> Vec<Uuid> {
    proofs.iter().map(|proof| *proof.as_uuid()).collect()
}

/// A proof and its account, both locked.
struct Provable {
    proof: Proof,
    locked: LockedUser,
    account: Credentials,
}

impl Provable {
    async fn lock(
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
        let recovered = proofs::recovered(&found.proof, &found.account, self.at);
        let Some(user) = recovered.filter(|user| user.epoch == self.session.epoch) else {
            return Ok(RecoveryOutcome::Gone);
        };
        let raise = RaiseEpoch {
            kept: None,
            hash: Some(&self.hash),
            reason: EndReason::Recovered,
            at: self.at,
        };
        found.locked.raise(tx, raise).await?;
        set_address(tx, &user).await?;
        if user.email != found.account.user.email {
            refuse_taken(tx, &user, Undos::Ignored).await?;
        }
        let begin = tx.prepare_cached(BEGIN).await?;
        tx.execute(&begin, &SessionRow::from(&self.session).params())
            .await?;
        let of_user = tx.prepare_cached(OF_USER).await?;
        let others = tx.query(&of_user, &[user.id.as_uuid()]).await?;
        let mut void = decoded(&others, sql::proof)?;
        void.retain(|other| !proofs::outlives(other, &found.proof));
        delete(tx, &void.iter().map(|proof| proof.id).collect::<Vec<_>>()).await?;
        Ok(RecoveryOutcome::Recovered(user))
    }
}

struct Verify {
    proof: ProofVersion,
    at: Timestamp,
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
        delete(tx, &[self.proof.id]).await?;
        Ok(VerifyOutcome::Verified(user))
    }
}

struct Disown {
    proof: ProofVersion,
    at: Timestamp,
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
        refuse_taken(tx, &user, Undos::Count(self.at)).await?;
        delete(tx, &[self.proof.id]).await?;
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
        let Some((proof, hash)) = found.and_then(proofs::intended) else {
            return Ok(SignUpOutcome::Gone);
        };
        let user = UserRow::new(&self.user, &hash);
        let session = SessionRow::from(&self.session);
        let row: Vec<_> = session.params().into_iter().chain(user.params()).collect();
        let create = tx.prepare_cached(CREATE).await?;
        tx.execute(&create, &row).await?;
        refuse_taken(tx, &self.user, Undos::Count(self.at)).await?;
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
        refuse_taken(tx, &self.user, Undos::Count(self.proof.created_at)).await?;
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
            delete(tx, &[self.proof.id]).await?;
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
