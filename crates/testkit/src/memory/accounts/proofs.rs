//! Proofs of mailboxes.

use super::{MemoryAccounts, MemoryTables, users::credentials};
use async_trait::async_trait;
use revolve_domain::{
    factors,
    journal::Tell,
    model::{
        AccountFactors, Credentials, EmailAddress, EndReason, Proof, ProofId, ProofPurpose,
        ProofVersion, SignUpIntent, Timestamp, UserId,
    },
    ports::{
        AddOutcome, AddressChange, AddressOutcome, BeginOutcome, Invitation, OpenProof, Proofs,
        ProvedSignIn, ProvedSignUp, Recovery, RecoveryOutcome, RecoveryStep, SignUpOutcome,
        StandingProof, StoreError, VerifyOutcome,
    },
    proofs,
};

impl MemoryTables {
    pub(super) fn open_proof(&mut self, new: &Proof) -> StandingProof {
        let scope = new.scope();
        let former = self.proofs.values().filter(|proof| proof.scope() == scope);
        let opening = proofs::open(former.cloned().collect(), new.clone());
        for void in opening.void {
            self.proofs.remove(&void);
        }
        let standing = StandingProof::from(&opening.proof);
        self.proofs.insert(opening.proof.id, opening.proof);
        standing
    }

    /// The proof as it was shown.
    fn shown(&self, shown: ProofVersion, at: Timestamp) -> Option<&Proof> {
        let proof = self.proofs.get(&shown.id)?;
        (proof.version() == shown && at < proof.expires_at).then_some(proof)
    }

    /// The proof as it was shown, and its account.
    pub(super) fn provable(
        &self,
        shown: ProofVersion,
        at: Timestamp,
    ) -> Option<(Proof, Credentials)> {
        let proof = self.shown(shown, at)?;
        let account = self.users.get(&proof.user?)?;
        Some((proof.clone(), credentials(account)))
    }
}

#[async_trait]
impl Proofs for MemoryAccounts {
    async fn open(
        &self,
        open: &OpenProof,
        tell: &Tell<StandingProof>,
    ) -> Result<StandingProof, StoreError> {
        let mut tables = self.tables();
        let account = open.account(tell);
        let gone = account.filter(|account| !tables.users.contains_key(account));
        let opened = tables.open_proof(&open.proof);
        tables.journal.tell(tell, &opened);
        if let Some(gone) = gone {
            tables.journal.scrub(gone);
        }
        if !open.withheld && gone.is_none() {
            tables.outbox.commit(tell.at, &tell.of(&opened).1);
        }
        Ok(opened)
    }

    async fn find(&self, proof: ProofId, at: Timestamp) -> Result<Option<Proof>, StoreError> {
        let tables = self.tables();
        let found = tables.proofs.get(&proof);
        Ok(found.filter(|proof| at < proof.expires_at).cloned())
    }

    async fn undo_of(
        &self,
        address: &EmailAddress,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        let tables = self.tables();
        let found = tables.proofs.values();
        let found = found.filter(|proof| proofs::restores(proof, address, at));
        Ok(found
            .max_by_key(|proof| (proof.created_at, proof.id))
            .cloned())
    }

    async fn attempt(
        &self,
        proof: ProofId,
        purpose: ProofPurpose,
        at: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        let mut tables = self.tables();
        let Some(found) = tables.proofs.get_mut(&proof) else {
            return Ok(None);
        };
        if found.purpose != purpose || at >= found.expires_at || found.attempts_left == 0 {
            return Ok(None);
        }
        found.attempts_left -= 1;
        Ok(Some(found.clone()))
    }

    async fn forgive(&self, proof: ProofId) -> Result<(), StoreError> {
        if let Some(found) = self.tables().proofs.get_mut(&proof) {
            found.attempts_left = Proof::ATTEMPTS.min(found.attempts_left + 1);
        }
        Ok(())
    }

    async fn recover(
        &self,
        recovery: &Recovery,
        tell: &Tell<RecoveryOutcome>,
    ) -> Result<RecoveryOutcome, StoreError> {
        self.change(tell, |tables| {
            let Some((proof, account)) = tables.provable(recovery.proof, recovery.at) else {
                return RecoveryOutcome::Gone;
            };
            let before = tables.factors_of(account.user.id);
            let Some(recovered) = proofs::recovered(&proof, &account, before, recovery.at)
                .filter(|recovered| Some(recovered.user.epoch) == recovery.then.epoch())
            else {
                return RecoveryOutcome::Gone;
            };
            let user = recovered.user.clone();
            let is_restored = user.email != account.user.email;
            if is_restored && tables.has_another(&user.email, user.id) {
                return RecoveryOutcome::EmailTaken;
            }
            if let RecoveryStep::Session { unless_factor, .. } = &recovery.then
                && !factors::may_begin(&user, *unless_factor)
            {
                return RecoveryOutcome::FactorRequired;
            }
            tables.raise(user.id, None, EndReason::Recovered, recovery.at);
            tables
                .users
                .insert(user.id, (user.clone(), recovery.hash.clone()));
            tables.keep_factors(user.id, recovered.factors.clone());
            match &recovery.then {
                RecoveryStep::Session { session, .. } => {
                    tables.sessions.insert(session.id, session.clone());
                    tables.know_device(session);
                }
                RecoveryStep::Challenge(challenge) => tables.open_challenge(challenge),
            }
            let stays = |other: &Proof| proofs::outlives(other, &proof, &recovered);
            tables.proofs.retain(|_, other| stays(other));
            RecoveryOutcome::Recovered(user)
        })
    }

    async fn verify(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<VerifyOutcome>,
    ) -> Result<VerifyOutcome, StoreError> {
        self.change(tell, |tables| {
            let provable = tables.provable(proof, at);
            let Some(user) =
                provable.and_then(|(proof, account)| proofs::verified(&proof, &account, at))
            else {
                return VerifyOutcome::Gone;
            };
            tables.proofs.remove(&proof.id);
            if let Some((found, _)) = tables.users.get_mut(&user.id) {
                *found = user.clone();
            }
            VerifyOutcome::Verified(user)
        })
    }

    async fn disown(
        &self,
        proof: ProofVersion,
        at: Timestamp,
        tell: &Tell<Option<UserId>>,
    ) -> Result<Option<UserId>, StoreError> {
        self.change(tell, |tables| {
            let (proof, account) = tables.provable(proof, at)?;
            if !proofs::disowns(&proof, &account) {
                return None;
            }
            tables
                .delete(account.user.id, at)
                .then_some(account.user.id)
        })
    }

    async fn change_email(
        &self,
        change: &AddressChange,
        tell: &Tell<AddressOutcome>,
    ) -> Result<AddressOutcome, StoreError> {
        self.change(tell, |tables| {
            let provable = tables.provable(change.proof, change.at);
            let Some(user) =
                provable.and_then(|(proof, account)| proofs::changed(&proof, &account, change.at))
            else {
                return AddressOutcome::Gone;
            };
            if tables.is_taken(&user.email, user.id, change.at) {
                return AddressOutcome::EmailTaken;
            }
            tables.proofs.remove(&change.proof.id);
            tables.show(&user);
            if let Some(undo) = &change.undo {
                tables.open_proof(undo);
            }
            AddressOutcome::Changed(user)
        })
    }

    async fn sign_up(
        &self,
        sign_up: &ProvedSignUp,
        tell: &Tell<SignUpOutcome>,
    ) -> Result<SignUpOutcome, StoreError> {
        self.change(tell, |tables| {
            let proof = tables.shown(sign_up.proof, sign_up.at).cloned();
            let Some((proof, intent)) = proof.and_then(proofs::intended) else {
                return SignUpOutcome::Gone;
            };
            let (user, session) = (&sign_up.user, &sign_up.session);
            if tables.is_taken(&user.email, user.id, sign_up.at) {
                return SignUpOutcome::EmailTaken;
            }
            if let SignUpIntent::Passkey(passkey) = &intent
                && tables.has_credential(&passkey.credential.id)
            {
                return SignUpOutcome::CredentialTaken;
            }
            tables.users.insert(user.id, (user.clone(), intent.hash()));
            if let SignUpIntent::Passkey(passkey) = intent {
                let factors = AccountFactors {
                    passkeys: vec![*passkey],
                    codes: sign_up.codes.clone(),
                    ..AccountFactors::default()
                };
                tables.keep_factors(user.id, factors);
            }
            tables.sessions.insert(session.id, session.clone());
            tables.know_device(session);
            let scope = proof.scope();
            tables.proofs.retain(|_, other| other.scope() != scope);
            SignUpOutcome::Created
        })
    }

    async fn invite(
        &self,
        invitation: &Invitation,
        tell: &Tell<AddOutcome>,
    ) -> Result<AddOutcome, StoreError> {
        self.change(tell, |tables| {
            let outcome = tables.add(
                &invitation.user,
                &invitation.hash,
                invitation.proof.created_at,
            );
            if outcome == AddOutcome::Added {
                tables.open_proof(&invitation.proof);
            }
            outcome
        })
    }

    async fn sign_in(
        &self,
        sign_in: &ProvedSignIn,
        tell: &Tell<Option<BeginOutcome>>,
    ) -> Result<Option<BeginOutcome>, StoreError> {
        self.change(tell, |tables| {
            let (proof, account) = tables.provable(sign_in.proof, sign_in.at)?;
            if !sign_in.counts(&proof, &account) {
                return None;
            }
            let begun = tables.begin(&sign_in.begin);
            if matches!(begun, BeginOutcome::Begun { .. }) {
                tables.proofs.remove(&proof.id);
            }
            Some(begun)
        })
    }

    async fn standing(
        &self,
        proofs: &[ProofId],
        at: Timestamp,
    ) -> Result<Vec<StandingProof>, StoreError> {
        let tables = self.tables();
        let found = proofs.iter().filter_map(|proof| tables.proofs.get(proof));
        let open = found.filter(|proof| at < proof.expires_at);
        Ok(open.map(StandingProof::from).collect())
    }

    async fn prune(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let expired: Vec<_> = tables
            .proofs
            .values()
            .filter(|proof| proof.expires_at < before)
            .take(limit as usize)
            .map(|proof| proof.id)
            .collect();
        for proof in &expired {
            tables.proofs.remove(proof);
        }
        Ok(expired.len() as u64)
    }
}
