//! Factors and challenges.

use super::{MemoryAccounts, MemoryTables};
use async_trait::async_trait;
use revolve_domain::{
    factors::{self, Removal, Used},
    journal::Tell,
    keys::SealedKey,
    model::{
        AccountFactors, Challenge, ChallengeId, ChallengeKind, CredentialId, EndReason, Passkey,
        PasswordHash, PendingReset, ProofPurpose, Timestamp, Totp, UserId,
    },
    ports::{
        AddFactorOutcome, Asking, BeginOutcome, CodesOutcome, CodesReplacement, FactorRemoval,
        FactorSecretUse, FactorSignIn, FactorSignInOutcome, Factors, OpenChallenge,
        PasskeyRegistration, PasskeyRename, PasskeySignUp, PasskeySignUpOutcome,
        RemoveFactorOutcome, RenameOutcome, ResetFactors, ResetOrder, ResetOrderOutcome,
        ResetOutcome, SealedFactor, ShowOutcome, ShownInSession, StopReset, StopResetOutcome,
        StoreError, TotpConfirmation, TotpSetUp, TotpSetUpOutcome,
    },
    proofs,
};
use std::cmp::Reverse;

impl MemoryTables {
    pub(super) fn factors_of(&self, user: UserId) -> AccountFactors {
        self.factors.get(&user).cloned().unwrap_or_default()
    }

    /// Keeps these factors, and says in the account's row which they are.
    pub(super) fn keep_factors(&mut self, user: UserId, factors: AccountFactors) {
        if let Some((account, _)) = self.users.get_mut(&user) {
            account.factors = factors.set_up();
            self.factors.insert(user, factors);
        }
    }

    pub(super) fn forget_factors(&mut self, user: UserId) {
        self.factors.remove(&user);
        self.challenges
            .retain(|_, challenge| challenge.user.is_none_or(|owner| owner.id != user));
    }

    pub(super) fn has_credential(&self, id: &CredentialId) -> bool {
        self.passkeys().any(|passkey| passkey.credential.id == *id)
    }

    fn passkeys(&self) -> impl Iterator<Item = &Passkey> {
        self.factors.values().flat_map(|factors| &factors.passkeys)
    }

    /// Stores a challenge in the place of the oldest of its scope.
    pub(super) fn open_challenge(&mut self, new: &Challenge) {
        if let Some(scope) = new.scope() {
            let former = self.challenges.values();
            let former = former.filter(|former| former.scope().as_ref() == Some(&scope));
            let mut former: Vec<_> = former.map(|row| (row.created_at, row.id)).collect();
            former.sort_by_key(|row| Reverse(*row));
            for (_, void) in former.into_iter().skip(new.most() - 1) {
                self.challenges.remove(&void);
            }
        }
        self.challenges.insert(new.id, new.clone());
    }

    /// The challenge of that kind, if it can still be spent.
    fn open_of_kind(
        &self,
        id: ChallengeId,
        kind: ChallengeKind,
        at: Timestamp,
    ) -> Option<&Challenge> {
        let found = self.challenges.get(&id)?;
        (found.kind == kind && at < found.expires_at).then_some(found)
    }

    /// Whether a challenge of that kind is of this session, and holds.
    fn is_of_session(
        &self,
        id: ChallengeId,
        kind: ChallengeKind,
        user: UserId,
        asking: Asking,
        at: Timestamp,
    ) -> bool {
        let (Some(found), Some((account, _))) =
            (self.open_of_kind(id, kind, at), self.users.get(&user))
        else {
            return false;
        };
        let session = found.user.and_then(|user| user.session);
        session == Some(asking.session) && factors::holds(found, account)
    }

    fn sign_in_by_factor(&mut self, sign_in: &FactorSignIn) -> FactorSignInOutcome {
        let user = sign_in.begin.session.user;
        let is_passkey = matches!(sign_in.used, factors::FactorUse::Passkey { .. });
        let second = self.open_of_kind(sign_in.challenge, ChallengeKind::SecondStep, sign_in.at);
        let first = self.open_of_kind(sign_in.challenge, ChallengeKind::PasskeySignIn, sign_in.at);
        let Some((account, _)) = self.users.get(&user) else {
            return FactorSignInOutcome::Gone;
        };
        let counts = second.is_some_and(|challenge| factors::holds(challenge, account))
            || (first.is_some() && is_passkey);
        if !counts {
            return FactorSignInOutcome::Gone;
        }
        let left = match factors::used(self.factors_of(user), &sign_in.used, sign_in.at) {
            Used::Counts(left) => left,
            Used::CodeUsed => return FactorSignInOutcome::CodeUsed,
            Used::Gone => return FactorSignInOutcome::Gone,
        };
        let begun = self.begin(&sign_in.begin);
        if matches!(begun, BeginOutcome::Begun { .. }) {
            self.keep_factors(user, left);
            self.challenges.remove(&sign_in.challenge);
        }
        FactorSignInOutcome::SignedIn(begun)
    }

    fn show_factor(&mut self, shown: &ShownInSession) -> ShowOutcome {
        let ShownInSession {
            user, asking, at, ..
        } = *shown;
        if !self.admits(user, asking, at) {
            return ShowOutcome::Superseded;
        }
        let kind = ChallengeKind::Reauthentication;
        let is_open = shown
            .challenge
            .is_none_or(|id| self.is_of_session(id, kind, user, asking, at));
        if !is_open {
            return ShowOutcome::Gone;
        }
        match factors::used(self.factors_of(user), &shown.used, at) {
            Used::Counts(left) => self.keep_factors(user, left),
            Used::CodeUsed => return ShowOutcome::CodeUsed,
            Used::Gone => return ShowOutcome::Gone,
        }
        if let Some(challenge) = shown.challenge {
            self.challenges.remove(&challenge);
        }
        ShowOutcome::Shown
    }

    fn reset_factors(&mut self, user: UserId, when: ResetFactors, at: Timestamp) -> ResetOutcome {
        if !self.users.contains_key(&user) {
            return ResetOutcome::NotFound;
        }
        let factors = self.factors_of(user);
        let is_due = factors.reset.is_some_and(|reset| at >= reset.due_at);
        let does = match when {
            ResetFactors::IfDue => is_due,
            ResetFactors::Forced => has_any(&factors),
        };
        if !does {
            return ResetOutcome::Nothing;
        }
        self.raise(user, None, EndReason::FactorsReset, at);
        self.keep_factors(user, AccountFactors::default());
        self.forget_factors(user);
        self.void_reset_proofs(user);
        let account = self.users.get(&user).map(|(account, _)| account.clone());
        account.map_or(ResetOutcome::NotFound, ResetOutcome::Reset)
    }

    fn void_reset_proofs(&mut self, user: UserId) {
        self.proofs.retain(|_, proof| {
            proof.purpose != ProofPurpose::StopFactorReset || proof.user != Some(user)
        });
    }

    /// The account whose reset this stops.
    fn stopping(&self, stop: StopReset, at: Timestamp) -> Result<UserId, StopResetOutcome> {
        let user = match stop {
            StopReset::Proof(proof) => {
                let provable = self.provable(proof, at);
                let counts =
                    provable.filter(|(proof, account)| proofs::stops_reset(proof, account));
                counts.map(|(_, account)| account.user.id)
            }
            StopReset::Session(user, asking) if self.admits(user, asking, at) => Some(user),
            StopReset::Session(..) => return Err(StopResetOutcome::Superseded),
        };
        let waits = user.filter(|user| self.factors_of(*user).reset.is_some());
        waits.ok_or(StopResetOutcome::Gone)
    }
}

/// Whether there is anything to reset.
fn has_any(factors: &AccountFactors) -> bool {
    factors.set_up().any() || factors.codes_left() > 0
}

#[async_trait]
impl Factors for MemoryAccounts {
    async fn of(&self, user: UserId) -> Result<AccountFactors, StoreError> {
        Ok(self.tables().factors_of(user))
    }

    async fn by_credential(
        &self,
        credential: &CredentialId,
    ) -> Result<Option<Passkey>, StoreError> {
        let tables = self.tables();
        let mut passkeys = tables.passkeys();
        Ok(passkeys
            .find(|passkey| passkey.credential.id == *credential)
            .cloned())
    }

    async fn open(&self, open: &OpenChallenge, tell: &Tell<bool>) -> Result<bool, StoreError> {
        self.change(tell, |tables| {
            let challenge = &open.challenge;
            let account = challenge.user.map(|user| tables.users.get(&user.id));
            let counts = match (challenge.kind, account) {
                (ChallengeKind::SignUp, Some(_)) | (ChallengeKind::PasskeySignIn, None) => true,
                (_, Some(Some((account, _)))) => factors::holds(challenge, account),
                (_, None | Some(None)) => false,
            };
            if !counts {
                return false;
            }
            if let Some(proof) = open.spends {
                let provable = tables.provable(proof, challenge.created_at);
                let signs_in = provable.is_some_and(|(proof, account)| {
                    proofs::signs_in(&proof, &account)
                        && challenge.user.map(|user| user.id) == Some(account.user.id)
                });
                if !signs_in {
                    return false;
                }
                tables.proofs.remove(&proof.id);
            }
            tables.open_challenge(challenge);
            true
        })
    }

    async fn find(
        &self,
        challenge: ChallengeId,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let tables = self.tables();
        let found = tables.challenges.get(&challenge);
        Ok(found.filter(|found| at < found.expires_at).cloned())
    }

    async fn attempt(
        &self,
        challenge: ChallengeId,
        kind: ChallengeKind,
        at: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        let mut tables = self.tables();
        let Some(found) = tables.challenges.get_mut(&challenge) else {
            return Ok(None);
        };
        if found.kind != kind || at >= found.expires_at || found.attempts_left == 0 {
            return Ok(None);
        }
        found.attempts_left -= 1;
        Ok(Some(found.clone()))
    }

    async fn forgive(&self, challenge: ChallengeId) -> Result<(), StoreError> {
        if let Some(found) = self.tables().challenges.get_mut(&challenge) {
            found.attempts_left = Challenge::ATTEMPTS.min(found.attempts_left + 1);
        }
        Ok(())
    }

    async fn sign_in(
        &self,
        sign_in: &FactorSignIn,
        tell: &Tell<FactorSignInOutcome>,
    ) -> Result<FactorSignInOutcome, StoreError> {
        self.change(tell, |tables| tables.sign_in_by_factor(sign_in))
    }

    async fn sign_up(
        &self,
        sign_up: &PasskeySignUp,
        tell: &Tell<PasskeySignUpOutcome>,
    ) -> Result<PasskeySignUpOutcome, StoreError> {
        self.change(tell, |tables| {
            let user = &sign_up.user;
            let challenge =
                tables.open_of_kind(sign_up.challenge, ChallengeKind::SignUp, sign_up.at);
            let is_of_user = challenge
                .and_then(|challenge| challenge.user)
                .is_some_and(|of| of.id == user.id);
            if !is_of_user {
                return PasskeySignUpOutcome::Gone;
            }
            if tables.is_taken(&user.email, user.id, sign_up.at) {
                return PasskeySignUpOutcome::EmailTaken;
            }
            if tables.has_credential(&sign_up.passkey.credential.id) {
                return PasskeySignUpOutcome::CredentialTaken;
            }
            tables.challenges.remove(&sign_up.challenge);
            tables
                .users
                .insert(user.id, (user.clone(), PasswordHash::no_password()));
            tables
                .sessions
                .insert(sign_up.session.id, sign_up.session.clone());
            tables.know_device(&sign_up.session);
            let factors = AccountFactors {
                passkeys: vec![sign_up.passkey.clone()],
                codes: Some(sign_up.codes.clone()),
                ..AccountFactors::default()
            };
            tables.keep_factors(user.id, factors);
            PasskeySignUpOutcome::Created
        })
    }

    async fn show(
        &self,
        shown: &ShownInSession,
        tell: &Tell<ShowOutcome>,
    ) -> Result<ShowOutcome, StoreError> {
        self.change(tell, |tables| tables.show_factor(shown))
    }

    async fn set_up_totp(
        &self,
        set_up: &TotpSetUp,
        tell: &Tell<TotpSetUpOutcome>,
    ) -> Result<TotpSetUpOutcome, StoreError> {
        self.change(tell, |tables| {
            let Totp {
                user, created_at, ..
            } = set_up.totp;
            if !tables.admits(user, set_up.asking, created_at) {
                return TotpSetUpOutcome::Superseded;
            }
            let mut factors = tables.factors_of(user);
            if factors.confirmed_totp().is_some() {
                return TotpSetUpOutcome::Confirmed;
            }
            factors.totp = Some(set_up.totp.clone());
            tables.keep_factors(user, factors);
            TotpSetUpOutcome::Waiting
        })
    }

    async fn confirm_totp(
        &self,
        confirmation: &TotpConfirmation,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        self.change(tell, |tables| {
            let TotpConfirmation {
                totp,
                step,
                codes,
                asking,
                at,
            } = confirmation;
            if !tables.admits(totp.user, *asking, *at) {
                return AddFactorOutcome::Superseded;
            }
            let mut factors = tables.factors_of(totp.user);
            let waits = factors.totp.as_mut();
            let Some(waits) =
                waits.filter(|waits| waits.confirmed_at.is_none() && waits.sealed == totp.sealed)
            else {
                return AddFactorOutcome::Gone;
            };
            waits.confirmed_at = Some(*at);
            waits.last_step = Some(*step);
            let had_none = factors.codes.is_none();
            factors.codes = Some(factors::codes_after(&factors, codes));
            tables.keep_factors(totp.user, factors);
            AddFactorOutcome::Added { codes: had_none }
        })
    }

    async fn add_passkey(
        &self,
        registration: &PasskeyRegistration,
        tell: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        self.change(tell, |tables| {
            let PasskeyRegistration {
                challenge,
                passkey,
                codes,
                asking,
                at,
            } = registration;
            let user = passkey.user;
            if !tables.admits(user, *asking, *at) {
                return AddFactorOutcome::Superseded;
            }
            let kind = ChallengeKind::Registration;
            if !tables.is_of_session(*challenge, kind, user, *asking, *at) {
                return AddFactorOutcome::Gone;
            }
            if tables.has_credential(&passkey.credential.id) {
                return AddFactorOutcome::CredentialTaken;
            }
            let mut factors = tables.factors_of(user);
            if !factors::has_room(&factors) {
                return AddFactorOutcome::TooMany;
            }
            tables.challenges.remove(challenge);
            let had_none = factors.codes.is_none();
            factors.codes = Some(factors::codes_after(&factors, codes));
            factors.passkeys.push(passkey.clone());
            factors
                .passkeys
                .sort_by_key(|passkey| (passkey.created_at, passkey.id));
            tables.keep_factors(user, factors);
            AddFactorOutcome::Added { codes: had_none }
        })
    }

    async fn rename_passkey(
        &self,
        rename: &PasskeyRename,
        tell: &Tell<RenameOutcome>,
    ) -> Result<RenameOutcome, StoreError> {
        self.change(tell, |tables| {
            if !tables.admits(rename.user, rename.asking, rename.at) {
                return RenameOutcome::Superseded;
            }
            let mut factors = tables.factors_of(rename.user);
            let mut passkeys = factors.passkeys.iter_mut();
            let Some(passkey) = passkeys.find(|passkey| passkey.id == rename.passkey) else {
                return RenameOutcome::NotFound;
            };
            passkey.name = rename.name.clone();
            tables.keep_factors(rename.user, factors);
            RenameOutcome::Renamed
        })
    }

    async fn remove(
        &self,
        removal: &FactorRemoval,
        tell: &Tell<RemoveFactorOutcome>,
    ) -> Result<RemoveFactorOutcome, StoreError> {
        self.change(tell, |tables| {
            let user = removal.user;
            if !tables.admits(user, removal.asking, removal.at) {
                return RemoveFactorOutcome::Superseded;
            }
            let Some((_, hash)) = tables.users.get(&user) else {
                return RemoveFactorOutcome::Superseded;
            };
            let factors = tables.factors_of(user);
            match factors::removed(factors, hash, removal.factor, removal.needs_factor) {
                Removal::Removed(left) => {
                    tables.keep_factors(user, left);
                    RemoveFactorOutcome::Removed
                }
                Removal::NotFound => RemoveFactorOutcome::NotFound,
                Removal::LastFactor => RemoveFactorOutcome::LastFactor,
            }
        })
    }

    async fn replace_codes(
        &self,
        replacement: &CodesReplacement,
        tell: &Tell<CodesOutcome>,
    ) -> Result<CodesOutcome, StoreError> {
        self.change(tell, |tables| {
            let user = replacement.codes.user;
            if !tables.admits(user, replacement.asking, replacement.at) {
                return CodesOutcome::Superseded;
            }
            let mut factors = tables.factors_of(user);
            if !factors.set_up().any() {
                return CodesOutcome::NoFactor;
            }
            factors.codes = Some(replacement.codes.clone());
            tables.keep_factors(user, factors);
            CodesOutcome::Replaced
        })
    }

    async fn order_reset(
        &self,
        order: &ResetOrder,
        tell: &Tell<ResetOrderOutcome>,
    ) -> Result<ResetOrderOutcome, StoreError> {
        self.change(tell, |tables| {
            if !tables.users.contains_key(&order.user) {
                return ResetOrderOutcome::NotFound;
            }
            let mut factors = tables.factors_of(order.user);
            if let Some(pending) = factors.reset {
                return ResetOrderOutcome::Pending(pending.due_at);
            }
            if !has_any(&factors) {
                return ResetOrderOutcome::NoFactors;
            }
            factors.reset = Some(PendingReset {
                ordered_at: order.at,
                due_at: order.due_at,
            });
            tables.keep_factors(order.user, factors);
            if let Some(proof) = &order.proof {
                tables.open_proof(proof);
            }
            ResetOrderOutcome::Ordered
        })
    }

    async fn stop_reset(
        &self,
        stop: StopReset,
        at: Timestamp,
        tell: &Tell<StopResetOutcome>,
    ) -> Result<StopResetOutcome, StoreError> {
        self.change(tell, |tables| match tables.stopping(stop, at) {
            Ok(user) => {
                let mut factors = tables.factors_of(user);
                factors.reset = None;
                tables.keep_factors(user, factors);
                tables.void_reset_proofs(user);
                StopResetOutcome::Stopped(user)
            }
            Err(outcome) => outcome,
        })
    }

    async fn due_resets(&self, at: Timestamp, limit: u32) -> Result<Vec<UserId>, StoreError> {
        let tables = self.tables();
        let factors = tables.factors.iter();
        let due = factors.filter(|(_, factors)| factors.reset.is_some_and(|r| at >= r.due_at));
        Ok(due.map(|(user, _)| *user).take(limit as usize).collect())
    }

    async fn reset(
        &self,
        user: UserId,
        when: ResetFactors,
        at: Timestamp,
        tell: &Tell<ResetOutcome>,
    ) -> Result<ResetOutcome, StoreError> {
        self.change(tell, |tables| tables.reset_factors(user, when, at))
    }

    async fn sealed(
        &self,
        after: Option<UserId>,
        limit: u32,
    ) -> Result<Vec<SealedFactor>, StoreError> {
        let tables = self.tables();
        let mut users: Vec<_> = tables
            .factors
            .iter()
            .filter(|(user, factors)| {
                let has_secret = factors.totp.is_some() || factors.codes.is_some();
                has_secret && after.is_none_or(|after| **user > after)
            })
            .collect();
        users.sort_by_key(|(user, _)| **user);
        let sealed = users
            .into_iter()
            .take(limit as usize)
            .flat_map(|(user, factors)| {
                let sealed = |of, sealed: &SealedKey| SealedFactor {
                    user: *user,
                    of,
                    sealed: sealed.clone(),
                };
                let totp = factors.totp.as_ref();
                let codes = factors.codes.as_ref();
                let totp = totp.map(|totp| sealed(FactorSecretUse::Totp, &totp.sealed));
                let codes = codes.map(|codes| sealed(FactorSecretUse::RecoveryCodes, &codes.key));
                totp.into_iter().chain(codes)
            });
        Ok(sealed.collect())
    }

    async fn reseal(&self, secret: &SealedFactor, to: &SealedKey) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let found = tables.factors.get_mut(&secret.user);
        let sealed = found.and_then(|factors| match secret.of {
            FactorSecretUse::Totp => factors.totp.as_mut().map(|totp| &mut totp.sealed),
            FactorSecretUse::RecoveryCodes => factors.codes.as_mut().map(|codes| &mut codes.key),
        });
        let Some(sealed) = sealed.filter(|sealed| **sealed == secret.sealed) else {
            return Ok(false);
        };
        *sealed = to.clone();
        Ok(true)
    }

    async fn prune(
        &self,
        expired: Timestamp,
        made: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let challenges = tables.challenges.values();
        let challenges = challenges.filter(|challenge| challenge.expires_at < expired);
        let challenges: Vec<_> = challenges.map(|row| row.id).take(limit as usize).collect();
        for challenge in &challenges {
            tables.challenges.remove(challenge);
        }
        let old = |totp: &Totp| totp.confirmed_at.is_none() && totp.created_at < made;
        let factors = tables.factors.values_mut();
        let factors = factors.filter(|factors| factors.totp.as_ref().is_some_and(old));
        let mut secrets = 0;
        for factors in factors.take(limit as usize) {
            factors.totp = None;
            secrets += 1;
        }
        Ok(secrets.max(challenges.len() as u64))
    }
}
