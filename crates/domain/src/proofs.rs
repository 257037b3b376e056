//! The rules of proofs, pure: which ones a new one makes void, and what each grants. Stores call them within their transactions.

use crate::{
    factors::counting_since,
    model::{
        AccountFactors, Credentials, EmailAddress, Proof, ProofId, ProofPurpose, SignUpIntent,
        Timestamp, User,
    },
};

/// The most sign-ups of one address that wait for a proof of its mailbox.
const SIGN_UPS: usize = 3;

/// What a store does when a proof is asked for.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The row to store.
    pub proof: Proof,
    /// The rows to delete, that of the same id included.
    pub void: Vec<ProofId>,
}

/// Decides what to do with the proofs of the same [`scope`](Proof::scope). A client that asks again for the same mailbox while its proof is open
/// gets the same one, with another code and no more attempts. A proof never moves to another mailbox: a mail that waits has only its id. An undo,
/// which nobody asks for, is always another one: its mail is written before the former is known. Of sign-ups the newest three stay, of all others
/// only the new one.
pub fn open(mut former: Vec<Proof>, new: Proof) -> Opening {
    former.sort_by_key(|proof| std::cmp::Reverse((proof.created_at, proof.id)));
    let is_open = |proof: &&Proof| proof.expires_at > new.created_at && proof.attempts_left > 0;
    // Not by the account: the proofs of nobody's mailbox each have another one, and must look like those of somebody.
    let is_same = |proof: &&Proof| proof.asker == new.asker && proof.address == new.address;
    let is_asked_for = new.purpose != ProofPurpose::UndoEmail;
    let again = former
        .iter()
        .filter(|_| is_asked_for)
        .filter(is_same)
        .find(is_open);
    let proof = match again {
        Some(again) => Proof {
            id: again.id,
            attempts_left: again.attempts_left,
            serial: again.serial.saturating_add(1),
            ..new
        },
        None => new,
    };
    let kept = match proof.purpose {
        ProofPurpose::SignUp => SIGN_UPS - 1,
        _ => 0,
    };
    let others = former.iter().filter(|former| former.id != proof.id);
    let void = others
        .skip(kept)
        .map(|former| former.id)
        .chain([proof.id])
        .collect();
    Opening { proof, void }
}

/// The account once its address is verified; `None` if the proof does not count for it.
pub fn verified(proof: &Proof, account: &Credentials, at: Timestamp) -> Option<User> {
    let counts = proof.purpose == ProofPurpose::VerifyEmail
        && proof.holds(account)
        && proof.address == account.user.email;
    counts.then(|| {
        let mut user = account.user.clone();
        if user.email_verified_at.is_none() {
            user.email_verified_at = Some(at);
            user.version = user.version.next(at);
        }
        user
    })
}

/// Whether the proof signs in to the account. Its address must have been verified: whoever made an account for an address without reading its
/// mail has the password and sessions of it, and must not share it with whoever reads the mailbox.
pub fn signs_in(proof: &Proof, account: &Credentials) -> bool {
    proof.purpose == ProofPurpose::SignIn
        && proof.holds(account)
        && proof.address == account.user.email
        && account.user.email_verified_at.is_some()
}

/// Whether whoever reads the mailbox may take the address from the account: nobody has verified it.
pub fn disowns(proof: &Proof, account: &Credentials) -> bool {
    proof.purpose == ProofPurpose::VerifyEmail
        && proof.holds(account)
        && proof.address == account.user.email
        && account.user.email_verified_at.is_none()
}

/// The account once it has its new address, which is verified; `None` if the proof does not count for it.
pub fn changed(proof: &Proof, account: &Credentials, at: Timestamp) -> Option<User> {
    let counts = proof.purpose == ProofPurpose::ChangeEmail && proof.holds(account);
    counts.then(|| User {
        email: proof.address.clone(),
        email_verified_at: Some(at),
        version: account.user.version.next(at),
        ..account.user.clone()
    })
}

/// An account once it is recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The account.
    pub user: User,
    /// Its factors.
    pub factors: AccountFactors,
}

/// The account, which has these factors, once its password is set, or the change of its address undone; `None` if the proof does not count for it.
/// Unless an operator handed the link out, the mailbox was read, so the address is verified. Of an account whose mailbox nobody had read before
/// all factors go: whoever has made it for this address without reading its mail must not share it with its owner. An undo takes those that were added
/// since the change: the thief's, if it was one.
pub fn recovered(
    proof: &Proof,
    account: &Credentials,
    mut factors: AccountFactors,
    at: Timestamp,
) -> Option<Recovered> {
    if !proof.holds(account) {
        return None;
    }
    let mut user = account.user.clone();
    match proof.purpose {
        ProofPurpose::ResetPassword | ProofPurpose::Invitation | ProofPurpose::RecoveryLink
            if proof.address == user.email => {}
        ProofPurpose::UndoEmail => user.email = proof.address.clone(),
        _ => return None,
    }
    let was_verified = account
        .user
        .email_verified_at
        .filter(|_| user.email == account.user.email);
    let is_read = proof.purpose != ProofPurpose::RecoveryLink;
    let is_first_read = is_read && account.user.email_verified_at.is_none();
    if proof.purpose == ProofPurpose::UndoEmail {
        factors = counting_since(factors, |since| since < proof.created_at);
    } else if is_first_read {
        factors = AccountFactors::default();
    }
    user.email_verified_at = was_verified.or(is_read.then_some(at));
    user.epoch = user.epoch.next();
    user.kept_session = None;
    user.version = user.version.next(at);
    user.factors = factors.set_up();
    Some(Recovered { user, factors })
}

/// Whether the proof stops a reset of the account's factors. It does whatever became of the account since, as the reset itself counts: a disabled one
/// as well.
pub fn stops_reset(proof: &Proof, account: &Credentials) -> bool {
    proof.purpose == ProofPurpose::StopFactorReset && proof.user == Some(account.user.id)
}

/// Whether another proof outlives the recovery of an account by `spent`. A reset leaves those that undo a change of address: a thief who reads the
/// present mailbox must not void the owner's; and what stops a reset of factors, while one waits. Nor must the undo of a later change: an undo leaves those of the changes before it.
pub fn outlives(other: &Proof, spent: &Proof, recovered: &Recovered) -> bool {
    let is_undo = |proof: &Proof| proof.purpose == ProofPurpose::UndoEmail;
    let stops_reset =
        other.purpose == ProofPurpose::StopFactorReset && recovered.factors.reset.is_some();
    let is_earlier = other.created_at < spent.created_at;
    other.user != spent.user || stops_reset || (is_undo(other) && (!is_undo(spent) || is_earlier))
}

/// Whether the proof can bring this address back to its account. As long as it can, no other account may get the address.
pub fn restores(proof: &Proof, address: &EmailAddress, at: Timestamp) -> bool {
    let key = proof.address.key();
    proof.purpose == ProofPurpose::UndoEmail
        && proof.attempts_left > 0
        && at < proof.expires_at
        && (key == address.key() || key == address.former())
}

/// What a sign-up wants, and what it will sign in with; `None` if it is a proof of something else.
pub fn intended(mut proof: Proof) -> Option<(Proof, SignUpIntent)> {
    let intent = proof.intent.take();
    let intent = intent.filter(|_| proof.purpose == ProofPurpose::SignUp)?;
    Some((proof, intent))
}
