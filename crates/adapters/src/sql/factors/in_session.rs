//! What a session changes of the factors of its account.

use revolve_domain::{
    factors::{self, Removal, Used},
    model::{
        AccountFactors, Challenge, ChallengeId, ChallengeKind, CredentialId, Credentials,
        Timestamp, User, UserId,
    },
    ports::{
        AddFactorOutcome, Asking, CodesOutcome, CodesReplacement, FactorRemoval,
        PasskeyRegistration, PasskeyRename, RemoveFactorOutcome, RenameOutcome, ShowOutcome,
        ShownInSession, TotpConfirmation, TotpSetUp, TotpSetUpOutcome,
    },
};

/// Why a change is refused before its factors are looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    Superseded,
    /// The challenge can't be spent.
    Gone,
    CredentialTaken,
}

/// A change of factors by a session. Stores check in this order: the session, the challenge, the credential, and then what the change says.
pub(crate) trait SessionChange: Sync {
    type Outcome: Copy + Send + Sync;

    fn asking(&self) -> (UserId, Asking, Timestamp);

    /// The challenge that is spent, and the kind that it must be of.
    fn challenge(&self) -> Option<(ChallengeId, ChallengeKind)> {
        None
    }

    /// The credential that no account may have.
    fn credential(&self) -> Option<&CredentialId> {
        None
    }

    fn refused(refusal: Refusal) -> Self::Outcome;

    /// The factors as they are then, with the outcome; or the outcome of a change that changes nothing.
    fn apply(
        &self,
        account: &Credentials,
        factors: AccountFactors,
    ) -> Result<(AccountFactors, Self::Outcome), Self::Outcome>;

    /// Whether an open challenge is the one that is spent.
    fn spends(&self, challenge: &Challenge, account: &User) -> bool {
        let (_, asking, _) = self.asking();
        let kind = self.challenge().map(|(_, kind)| kind);
        let session = challenge.user.and_then(|user| user.session);
        kind == Some(challenge.kind)
            && session == Some(asking.session)
            && factors::holds(challenge, account)
    }
}

impl SessionChange for ShownInSession {
    type Outcome = ShowOutcome;

    fn asking(&self) -> (UserId, Asking, Timestamp) {
        (self.user, self.asking, self.at)
    }

    fn challenge(&self) -> Option<(ChallengeId, ChallengeKind)> {
        let challenge = self.challenge?;
        Some((challenge, ChallengeKind::Reauthentication))
    }

    fn refused(refusal: Refusal) -> ShowOutcome {
        match refusal {
            Refusal::Superseded => ShowOutcome::Superseded,
            Refusal::Gone | Refusal::CredentialTaken => ShowOutcome::Gone,
        }
    }

    fn apply(
        &self,
        _: &Credentials,
        factors: AccountFactors,
    ) -> Result<(AccountFactors, ShowOutcome), ShowOutcome> {
        match factors::used(factors, &self.used, self.at) {
            Used::Counts(after) => Ok((after, ShowOutcome::Shown)),
            Used::CodeUsed => Err(ShowOutcome::CodeUsed),
            Used::Gone => Err(ShowOutcome::Gone),
        }
    }
}

impl SessionChange for TotpSetUp {
    type Outcome = TotpSetUpOutcome;

    fn asking(&self) -> (UserId, Asking, Timestamp) {
        (self.totp.user, self.asking, self.totp.created_at)
    }

    fn refused(_: Refusal) -> TotpSetUpOutcome {
        TotpSetUpOutcome::Superseded
    }

    fn apply(
        &self,
        _: &Credentials,
        mut factors: AccountFactors,
    ) -> Result<(AccountFactors, TotpSetUpOutcome), TotpSetUpOutcome> {
        if factors.confirmed_totp().is_some() {
            return Err(TotpSetUpOutcome::Confirmed);
        }
        factors.totp = Some(self.totp.clone());
        Ok((factors, TotpSetUpOutcome::Waiting))
    }
}

impl SessionChange for TotpConfirmation {
    type Outcome = AddFactorOutcome;

    fn asking(&self) -> (UserId, Asking, Timestamp) {
        (self.totp.user, self.asking, self.at)
    }

    fn refused(refusal: Refusal) -> AddFactorOutcome {
        not_added(refusal)
    }

    fn apply(
        &self,
        account: &Credentials,
        mut factors: AccountFactors,
    ) -> Result<(AccountFactors, AddFactorOutcome), AddFactorOutcome> {
        let before = factors.clone();
        let waits = factors
            .totp
            .as_mut()
            .filter(|waits| waits.confirmed_at.is_none() && waits.sealed == self.totp.sealed);
        let waits = waits.ok_or(AddFactorOutcome::Gone)?;
        waits.confirmed_at = Some(self.at);
        waits.last_step = Some(self.step);
        factors.codes = Some(factors::codes_after(&factors, &self.codes));
        Ok(added(&account.user, &before, factors))
    }
}

impl SessionChange for PasskeyRegistration {
    type Outcome = AddFactorOutcome;

    fn asking(&self) -> (UserId, Asking, Timestamp) {
        (self.passkey.user, self.asking, self.at)
    }

    fn challenge(&self) -> Option<(ChallengeId, ChallengeKind)> {
        Some((self.challenge, ChallengeKind::Registration))
    }

    fn credential(&self) -> Option<&CredentialId> {
        Some(&self.passkey.credential.id)
    }

    fn refused(refusal: Refusal) -> AddFactorOutcome {
        not_added(refusal)
    }

    fn apply(
        &self,
        account: &Credentials,
        mut factors: AccountFactors,
    ) -> Result<(AccountFactors, AddFactorOutcome), AddFactorOutcome> {
        if !factors::has_room(&factors) {
            return Err(AddFactorOutcome::TooMany);
        }
        let before = factors.clone();
        factors.codes = Some(factors::codes_after(&factors, &self.codes));
        factors.passkeys.push(self.passkey.clone());
        Ok(added(&account.user, &before, factors))
    }
}

fn added(
    account: &User,
    before: &AccountFactors,
    after: AccountFactors,
) -> (AccountFactors, AddFactorOutcome) {
    let outcome = AddFactorOutcome::Added {
        codes: before.codes.is_none(),
        raised: factors::raised(account, before, &after),
    };
    (after, outcome)
}

const fn not_added(refusal: Refusal) -> AddFactorOutcome {
    match refusal {
        Refusal::Superseded => AddFactorOutcome::Superseded,
        Refusal::Gone => AddFactorOutcome::Gone,
        Refusal::CredentialTaken => AddFactorOutcome::CredentialTaken,
    }
}

impl SessionChange for PasskeyRename {
    type Outcome = RenameOutcome;

    fn asking(&self) -> (UserId, Asking, Timestamp) {
        (self.user, self.asking, self.at)
    }

    fn refused(_: Refusal) -> RenameOutcome {
        RenameOutcome::Superseded
    }

    fn apply(
        &self,
        _: &Credentials,
        mut factors: AccountFactors,
    ) -> Result<(AccountFactors, RenameOutcome), RenameOutcome> {
        let mut passkeys = factors.passkeys.iter_mut();
        let passkey = passkeys.find(|passkey| passkey.id == self.passkey);
        passkey.ok_or(RenameOutcome::NotFound)?.name = self.name.clone();
        Ok((factors, RenameOutcome::Renamed))
    }
}

impl SessionChange for FactorRemoval {
    type Outcome = RemoveFactorOutcome;

    fn asking(&self) -> (UserId, Asking, Timestamp) {
        (self.user, self.asking, self.at)
    }

    fn refused(_: Refusal) -> RemoveFactorOutcome {
        RemoveFactorOutcome::Superseded
    }

    fn apply(
        &self,
        account: &Credentials,
        factors: AccountFactors,
    ) -> Result<(AccountFactors, RemoveFactorOutcome), RemoveFactorOutcome> {
        match factors::removed(factors, &account.hash, self.factor, self.needs_factor) {
            Removal::Removed(after) => Ok((after, RemoveFactorOutcome::Removed)),
            Removal::NotFound => Err(RemoveFactorOutcome::NotFound),
            Removal::LastFactor => Err(RemoveFactorOutcome::LastFactor),
        }
    }
}

impl SessionChange for CodesReplacement {
    type Outcome = CodesOutcome;

    fn asking(&self) -> (UserId, Asking, Timestamp) {
        (self.codes.user, self.asking, self.at)
    }

    fn refused(_: Refusal) -> CodesOutcome {
        CodesOutcome::Superseded
    }

    fn apply(
        &self,
        _: &Credentials,
        mut factors: AccountFactors,
    ) -> Result<(AccountFactors, CodesOutcome), CodesOutcome> {
        if !factors.set_up().any() {
            return Err(CodesOutcome::NoFactor);
        }
        factors.codes = Some(self.codes.clone());
        Ok((factors, CodesOutcome::Replaced))
    }
}
