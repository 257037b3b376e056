//! Proofs of mailboxes. The file has one writer, so that a check before a change holds until the commit.

mod spend;

use super::{
    SqliteStore,
    error::SqliteError,
    journal::{scrub_if_gone, write_told},
    query::{all, first, run},
    users::{delete, find},
};
use crate::sql::{self, proof_columns};
use async_trait::async_trait;
use revolve_domain::{
    journal::Tell,
    model::{
        Credentials, EmailAddress, Locale, Proof, ProofId, ProofPurpose, ProofVersion,
        SignUpIntent, Timestamp, UserId,
    },
    ports::{
        AddOutcome, AddressChange, AddressOutcome, BeginOutcome, Invitation, OpenProof, Proofs,
        ProvedSignIn, ProvedSignUp, Recovery, RecoveryOutcome, SignUpOutcome, StandingProof,
        StoreError, VerifyOutcome,
    },
    proofs,
};
use rusqlite::{Connection, params};
use spend::{change_email, invite, recover, sign_in_proved, sign_up_proved, verify};

const OF_SCOPE: &str = concat!("SELECT ", proof_columns!(), " FROM proofs WHERE scope = ?1");
const VOID: &str = "DELETE FROM proofs WHERE id IN (SELECT value FROM json_each(?1))";
const INSERT: &str = "
    INSERT INTO proofs (id, purpose, scope, email, email_typed, user_id, bound_epoch, bound_hash, bound_email, asker, password_hash, locale,
        created_at, expires_at, attempts_left, serial)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)";
const WITHHOLD: &str = "DELETE FROM deliveries WHERE id IN (SELECT value FROM json_each(?1))";
const FIND: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE id = ?1 AND expires_at > ?2"
);
const UNDO_OF: &str = concat!(
    "SELECT ",
    proof_columns!(),
    " FROM proofs WHERE purpose = 'undo_email' AND email IN (?1, ?2) AND expires_at > ?3 AND attempts_left > 0 \
     ORDER BY created_at DESC, id DESC LIMIT 1"
);
const ATTEMPT: &str = concat!(
    "UPDATE proofs SET attempts_left = attempts_left - 1 \
     WHERE id = ?1 AND expires_at > ?2 AND purpose = ?3 AND attempts_left > 0 RETURNING ",
    proof_columns!()
);
const FORGIVE: &str = "UPDATE proofs SET attempts_left = min(attempts_left + 1, ?2) WHERE id = ?1";
const STANDING: &str = "
    SELECT id AS proof_id, serial, email, email_typed, expires_at FROM proofs
    WHERE id IN (SELECT value FROM json_each(?1)) AND expires_at > ?2";
const PRUNE: &str = "
    DELETE FROM proofs WHERE id IN (SELECT id FROM proofs WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";

#[async_trait]
impl Proofs for SqliteStore {
    async fn open(
        &self,
        open: &OpenProof,
        tell: &Tell<StandingProof>,
    ) -> Result<StandingProof, StoreError> {
        let (open, tell) = (open.clone(), tell.clone());
        self.write("store a proof", move |conn| {
            let account = open.account(&tell);
            let opened = insert_proof(conn, open.proof)?;
            let mails = write_told(conn, &tell, &opened)?;
            let is_gone = match account {
                Some(account) => scrub_if_gone(conn, account)?,
                None => false,
            };
            // The same work for all: without mails to take back, those of other ids.
            let mails = mails.iter().map(|mail| {
                if open.withheld || is_gone {
                    mail.id
                } else {
                    mail.id.derive("withheld")
                }
            });
            let quoted: Vec<_> = mails.map(|id| format!("\"{id}\"")).collect();
            run(conn, WITHHOLD, [format!("[{}]", quoted.join(","))])?;
            Ok(opened)
        })
        .await
    }

    async fn find(&self, proof: ProofId, at: Timestamp) -> Result<Option<Proof>, StoreError> {
        self.read("read a proof", move |conn| find_proof(conn, proof, at))
            .await
    }

    async fn undo_of(
        &self,
        address: &EmailAddress,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        let (key, former) = (address.key().to_owned(), address.former());
        self.read("read a proof by its address", move |conn| {
            let asked = params![key, former, at.as_millis()];
            first(conn, UNDO_OF, asked, sql::proof)
        })
        .await
    }

    async fn attempt(
        &self,
        proof: ProofId,
        purpose: ProofPurpose,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        self.write("count an attempt", move |conn| {
            let tried = params![proof.to_string(), at.as_millis(), purpose.as_str()];
            first(conn, ATTEMPT, tried, sql::proof)
        })
        .await
    }

    async fn forgive(&self, proof: ProofId) -> Result<(), StoreError> {
        self.write("give back an attempt", move |conn| {
            let attempts = params![proof.to_string(), Proof::ATTEMPTS];
            run(conn, FORGIVE, attempts).map(drop)
        })
        .await
    }

    async fn recover(
        &self,
        recovery: &Recovery,
        tell: &Tell<RecoveryOutcome>,
    ) -> Result<RecoveryOutcome, StoreError> {
        let recovery = recovery.clone();
        self.change("recover an account", tell, move |conn| {
            recover(conn, &recovery)
        })
        .await
    }

    async fn verify(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<VerifyOutcome>,
    ) -> Result<VerifyOutcome, StoreError> {
        self.change("verify an address", tell, move |conn| {
            verify(conn, proof, at)
        })
        .await
    }

    async fn disown(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<Option<UserId>>,
    ) -> Result<Option<UserId>, StoreError> {
        self.change("delete an account", tell, move |conn| {
            let Some((proof, account)) = provable(conn, proof, at)? else {
                return Ok(None);
            };
            let user = account.user.id;
            let gone = proofs::disowns(&proof, &account) && delete(conn, user, None, at)?;
            Ok(gone.then_some(user))
        })
        .await
    }

    async fn change_email(
        &self,
        change: &AddressChange,
        tell: &Tell<AddressOutcome>,
    ) -> Result<AddressOutcome, StoreError> {
        let change = change.clone();
        self.change("change an address", tell, move |conn| {
            change_email(conn, change)
        })
        .await
    }

    async fn sign_up(
        &self,
        sign_up: &ProvedSignUp,
        tell: &Tell<SignUpOutcome>,
    ) -> Result<SignUpOutcome, StoreError> {
        let proved = sign_up.clone();
        self.change("create an account", tell, move |conn| {
            sign_up_proved(conn, &proved)
        })
        .await
    }

    async fn invite(
        &self,
        invitation: &Invitation,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError> {
        let invitation = invitation.clone();
        self.change("invite to an account", tell, move |conn| {
            invite(conn, invitation)
        })
        .await
    }

    async fn sign_in(
        &self,
        sign_in: &ProvedSignIn,
        tell: &Tell<Option<BeginOutcome>>,
    ) -> Result<Option<BeginOutcome>, StoreError> {
        let sign_in = sign_in.clone();
        self.change("begin a session", tell, move |conn| {
            sign_in_proved(conn, &sign_in)
        })
        .await
    }

    async fn standing(
        &self,
        proofs: &[ProofId],
        at: Timestamp,
    ) -> Result<Vec<StandingProof>, StoreError> {
        let proofs = json(proofs);
        self.read("read proofs", move |conn| {
            let asked = params![proofs, at.as_millis()];
            all(conn, STANDING, asked, sql::standing_proof)
        })
        .await
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write("prune proofs", move |conn| {
            run(conn, PRUNE, params![before.as_millis(), limit]).map(|pruned| pruned as u64)
        })
        .await
    }
}

/// Stores a new proof, or its former one once more, and deletes what it makes void.
pub(super) fn insert_proof(conn: &Connection, new: Proof) -> Result<StandingProof, SqliteError> {
    let scope = new.scope();
    let former = all(conn, OF_SCOPE, [&scope], sql::proof)?;
    let proofs::Opening { proof, void } = proofs::open(former, new);
    self::void(conn, &void)?;
    let binding = proof.binding.as_ref();
    let row = params![
        proof.id.to_string(),
        proof.purpose.as_str(),
        scope,
        proof.address.key(),
        sql::typed(&proof.address),
        proof.user.as_ref().map(UserId::to_string),
        binding.map(|binding| binding.epoch.number()),
        binding.map(|binding| binding.hash.as_bytes()),
        binding.map(|binding| &binding.email),
        proof.asker.as_bytes(),
        proof.intent.as_ref().map(SignUpIntent::stored),
        proof.locale.as_ref().map(Locale::as_str),
        proof.created_at.as_millis(),
        proof.expires_at.as_millis(),
        proof.attempts_left,
        proof.serial,
    ];
    run(conn, INSERT, row)?;
    Ok(StandingProof::from(&proof))
}

fn find_proof(
    conn: &Connection,
    proof: ProofId,
    at: Timestamp,
) -> Result<Option<Proof>, SqliteError> {
    let asked = params![proof.to_string(), at.as_millis()];
    first(conn, FIND, asked, sql::proof)
}

/// The proof as it was shown.
fn find_version(
    conn: &Connection,
    shown: ProofVersion,
    at: Timestamp,
) -> Result<Option<Proof>, SqliteError> {
    let found = find_proof(conn, shown.id, at)?;
    Ok(found.filter(|found| found.version() == shown))
}

/// The proof as it was shown, and its account.
pub(super) fn provable(
    conn: &Connection,
    shown: ProofVersion,
    at: Timestamp,
) -> Result<Option<(Proof, Credentials)>, SqliteError> {
    let Some(proof) = find_version(conn, shown, at)? else {
        return Ok(None);
    };
    let account = proof.user.map(|user| find(conn, user)).transpose()?;
    Ok(account.flatten().map(|account| (proof, account)))
}

pub(super) fn void(conn: &Connection, proofs: &[ProofId]) -> Result<(), SqliteError> {
    run(conn, VOID, [json(proofs)]).map(drop)
}

/// Ids as JSON.
fn json(proofs: &[ProofId]) -> String {
    let quoted = proofs.iter().map(|proof| format!("\"{proof}\""));
    format!("[{}]", quoted.collect::<Vec<_>>().join(","))
}
