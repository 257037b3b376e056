//! Factors and challenges.

mod store;

use super::MemoryTables;
use revolve_domain::{
    factors::{self, Reset, Used},
    model::{
        AccountFactors, Challenge, ChallengeId, ChallengeKind, CredentialId, EndReason, Passkey,
        PasswordHash, ProofPurpose, Timestamp, UserId,
    },
    ports::{
        AddFactorOutcome, Asking, BeginOutcome, FactorSignIn, FactorSignInOutcome, OpenChallenge,
        PasskeyRegistration, PasskeySignUp, PasskeySignUpOutcome, ResetFactors, ResetOutcome,
        ShowOutcome, ShownInSession, StopReset, StopResetOutcome, TotpConfirmation,
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
        let Some((account, _)) = self.users.get(&user) else {
            return ResetOutcome::NotFound;
        };
        let before = self.factors_of(user);
        let reset = match when {
            ResetFactors::IfDue => factors::reset_by_order(account, &before, at),
            ResetFactors::Forced => factors::reset_at_once(account, &before),
        };
        match reset {
            Reset::Nothing => ResetOutcome::Nothing,
            Reset::Obsolete(left) => {
                self.keep_factors(user, left);
                self.void_reset_proofs(user);
                ResetOutcome::Nothing
            }
            Reset::Reset(account, left) => {
                self.raise(user, None, EndReason::FactorsReset, at);
                self.forget_factors(user);
                self.keep_factors(user, left);
                self.void_reset_proofs(user);
                ResetOutcome::Reset(account)
            }
        }
    }

    fn open_if_it_holds(&mut self, open: &OpenChallenge) -> bool {
        let challenge = &open.challenge;
        let account = challenge.user.map(|user| self.users.get(&user.id));
        let counts = match (challenge.kind, account) {
            (ChallengeKind::SignUp, Some(_)) | (ChallengeKind::PasskeySignIn, None) => true,
            (_, Some(Some((account, _)))) => factors::holds(challenge, account),
            (_, None | Some(None)) => false,
        };
        if !counts {
            return false;
        }
        if let Some(proof) = open.spends {
            let provable = self.provable(proof, challenge.created_at);
            let signs_in = provable.is_some_and(|(proof, account)| {
                proofs::signs_in(&proof, &account)
                    && challenge.user.map(|user| user.id) == Some(account.user.id)
            });
            if !signs_in {
                return false;
            }
            self.proofs.remove(&proof.id);
        }
        self.open_challenge(challenge);
        true
    }

    fn sign_up_by_passkey(&mut self, sign_up: &PasskeySignUp) -> PasskeySignUpOutcome {
        let user = &sign_up.user;
        let challenge = self.open_of_kind(sign_up.challenge, ChallengeKind::SignUp, sign_up.at);
        let is_of_user = challenge
            .and_then(|challenge| challenge.user)
            .is_some_and(|of| of.id == user.id);
        if !is_of_user {
            return PasskeySignUpOutcome::Gone;
        }
        if self.is_taken(&user.email, user.id, sign_up.at) {
            return PasskeySignUpOutcome::EmailTaken;
        }
        if self.has_credential(&sign_up.passkey.credential.id) {
            return PasskeySignUpOutcome::CredentialTaken;
        }
        self.challenges.remove(&sign_up.challenge);
        self.users
            .insert(user.id, (user.clone(), PasswordHash::no_password()));
        self.sessions
            .insert(sign_up.session.id, sign_up.session.clone());
        self.know_device(&sign_up.session);
        let factors = AccountFactors {
            passkeys: vec![sign_up.passkey.clone()],
            codes: Some(sign_up.codes.clone()),
            ..AccountFactors::default()
        };
        self.keep_factors(user.id, factors);
        PasskeySignUpOutcome::Created
    }

    fn confirm_totp(&mut self, confirmation: &TotpConfirmation) -> AddFactorOutcome {
        let TotpConfirmation {
            totp,
            step,
            codes,
            asking,
            at,
        } = confirmation;
        if !self.admits(totp.user, *asking, *at) {
            return AddFactorOutcome::Superseded;
        }
        let mut factors = self.factors_of(totp.user);
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
        self.keep_added(totp.user, factors, had_none, *asking, *at)
    }

    fn add_passkey(&mut self, registration: &PasskeyRegistration) -> AddFactorOutcome {
        let PasskeyRegistration {
            challenge,
            passkey,
            codes,
            asking,
            at,
        } = registration;
        let user = passkey.user;
        if !self.admits(user, *asking, *at) {
            return AddFactorOutcome::Superseded;
        }
        let kind = ChallengeKind::Registration;
        if !self.is_of_session(*challenge, kind, user, *asking, *at) {
            return AddFactorOutcome::Gone;
        }
        if self.has_credential(&passkey.credential.id) {
            return AddFactorOutcome::CredentialTaken;
        }
        let mut factors = self.factors_of(user);
        if !factors::has_room(&factors) {
            return AddFactorOutcome::TooMany;
        }
        self.challenges.remove(challenge);
        let had_none = factors.codes.is_none();
        factors.codes = Some(factors::codes_after(&factors, codes));
        factors.passkeys.push(passkey.clone());
        factors
            .passkeys
            .sort_by_key(|passkey| (passkey.created_at, passkey.id));
        self.keep_added(user, factors, had_none, *asking, *at)
    }

    /// Keeps the factors after one was added; the first one ends all other sessions.
    fn keep_added(
        &mut self,
        user: UserId,
        after: AccountFactors,
        codes: bool,
        asking: Asking,
        at: Timestamp,
    ) -> AddFactorOutcome {
        let before = self.factors_of(user);
        let account = self.users.get(&user).map(|(account, _)| account.clone());
        let raised = account
            .as_ref()
            .and_then(|account| factors::raised(account, &before, &after));
        if raised.is_some() {
            self.raise(user, Some(asking.session), EndReason::FactorAdded, at);
            let device = self.sessions.get(&asking.session).map(|row| row.device);
            let known = device.and_then(|device| self.devices.get_mut(&(user, device)));
            let former = account.map(|account| account.epoch);
            if let Some(known) = known.filter(|known| known.epoch >= former) {
                known.epoch = raised;
            }
        }
        self.keep_factors(user, after);
        AddFactorOutcome::Added { codes, raised }
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
