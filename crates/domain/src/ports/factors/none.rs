//! The ports of a service without factors.

use super::{
    AddFactorOutcome, Ceremony, ClaimedCredential, CodesOutcome, CodesReplacement,
    CredentialRefused, FactorFault, FactorRemoval, FactorSecretUse, FactorSecrets, FactorSignIn,
    FactorSignInOutcome, Factors, OneTimeCodes, OpenChallenge, PasskeyCeremonies, PasskeyOwner,
    PasskeyRegistration, PasskeyRename, PasskeySignUp, PasskeySignUpOutcome, RemoveFactorOutcome,
    RenameOutcome, ResetFactors, ResetOrder, ResetOrderOutcome, ResetOutcome, SealedFactor,
    ShowOutcome, ShownInSession, StopReset, StopResetOutcome, TotpConfirmation, TotpEnrolment,
    TotpSetUp, TotpSetUpOutcome, VerifiedCredential,
};
use crate::{
    journal::Tell,
    keys::SealedKey,
    model::{
        AccountFactors, CeremonyState, Challenge, ChallengeId, ChallengeKind, CodeMac,
        CredentialDescriptor, CredentialId, OneTimeCode, Passkey, PasskeyCredential, RecoveryCode,
        Timestamp, TotpStep, UserId,
    },
    ports::StoreError,
};
use async_trait::async_trait;
use secrecy::SecretSlice;
use serde_json::Value;

/// For a service without factors: no account has one, and none can be set up.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFactors;

const NONE: &str = "there are no factors here";

impl NoFactors {
    fn fault() -> FactorFault {
        FactorFault::NotMade(NONE.into())
    }

    fn refused() -> CredentialRefused {
        CredentialRefused(NONE.into())
    }
}

#[async_trait]
impl Factors for NoFactors {
    async fn of(&self, _: UserId) -> Result<AccountFactors, StoreError> {
        Ok(AccountFactors::default())
    }

    async fn by_credential(&self, _: &CredentialId) -> Result<Option<Passkey>, StoreError> {
        Ok(None)
    }

    async fn open(&self, _: &OpenChallenge, _: &Tell<bool>) -> Result<bool, StoreError> {
        Err(StoreError::broken("factors", "store a challenge", NONE))
    }

    async fn find(&self, _: ChallengeId, _: Timestamp) -> Result<Option<Challenge>, StoreError> {
        Ok(None)
    }

    async fn attempt(
        &self,
        _: ChallengeId,
        _: ChallengeKind,
        _: Timestamp,
    ) -> Result<Option<Challenge>, StoreError> {
        Ok(None)
    }

    async fn forgive(&self, _: ChallengeId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn spend(
        &self,
        _: ChallengeId,
        _: ChallengeKind,
        _: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn sign_in(
        &self,
        _: &FactorSignIn,
        _: &Tell<FactorSignInOutcome>,
    ) -> Result<FactorSignInOutcome, StoreError> {
        Ok(FactorSignInOutcome::Gone)
    }

    async fn sign_up(
        &self,
        _: &PasskeySignUp,
        _: &Tell<PasskeySignUpOutcome>,
    ) -> Result<PasskeySignUpOutcome, StoreError> {
        Ok(PasskeySignUpOutcome::Gone)
    }

    async fn show(
        &self,
        _: &ShownInSession,
        _: &Tell<ShowOutcome>,
    ) -> Result<ShowOutcome, StoreError> {
        Ok(ShowOutcome::Gone)
    }

    async fn set_up_totp(
        &self,
        _: &TotpSetUp,
        _: &Tell<TotpSetUpOutcome>,
    ) -> Result<TotpSetUpOutcome, StoreError> {
        Err(StoreError::broken("factors", "store a factor", NONE))
    }

    async fn confirm_totp(
        &self,
        _: &TotpConfirmation,
        _: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        Ok(AddFactorOutcome::Gone)
    }

    async fn add_passkey(
        &self,
        _: &PasskeyRegistration,
        _: &Tell<AddFactorOutcome>,
    ) -> Result<AddFactorOutcome, StoreError> {
        Ok(AddFactorOutcome::Gone)
    }

    async fn rename_passkey(
        &self,
        _: &PasskeyRename,
        _: &Tell<RenameOutcome>,
    ) -> Result<RenameOutcome, StoreError> {
        Ok(RenameOutcome::NotFound)
    }

    async fn remove(
        &self,
        _: &FactorRemoval,
        _: &Tell<RemoveFactorOutcome>,
    ) -> Result<RemoveFactorOutcome, StoreError> {
        Ok(RemoveFactorOutcome::NotFound)
    }

    async fn replace_codes(
        &self,
        _: &CodesReplacement,
        _: &Tell<CodesOutcome>,
    ) -> Result<CodesOutcome, StoreError> {
        Ok(CodesOutcome::NoFactor)
    }

    async fn order_reset(
        &self,
        _: &ResetOrder,
        _: &Tell<ResetOrderOutcome>,
    ) -> Result<ResetOrderOutcome, StoreError> {
        Ok(ResetOrderOutcome::NoFactors)
    }

    async fn stop_reset(
        &self,
        _: StopReset,
        _: Timestamp,
        _: &Tell<StopResetOutcome>,
    ) -> Result<StopResetOutcome, StoreError> {
        Ok(StopResetOutcome::Gone)
    }

    async fn due_resets(&self, _: Timestamp, _: u32) -> Result<Vec<UserId>, StoreError> {
        Ok(Vec::new())
    }

    async fn reset(
        &self,
        _: UserId,
        _: ResetFactors,
        _: Timestamp,
        _: &Tell<ResetOutcome>,
    ) -> Result<ResetOutcome, StoreError> {
        Ok(ResetOutcome::Nothing)
    }

    async fn sealed(&self, _: Option<UserId>, _: u32) -> Result<Vec<SealedFactor>, StoreError> {
        Ok(Vec::new())
    }

    async fn reseal(&self, _: &SealedFactor, _: &SealedKey) -> Result<bool, StoreError> {
        Ok(false)
    }

    async fn prune(&self, _: Timestamp, _: Timestamp, _: u32) -> Result<u64, StoreError> {
        Ok(0)
    }
}

impl FactorSecrets for NoFactors {
    fn make(&self, _: UserId, _: FactorSecretUse) -> Result<SealedKey, FactorFault> {
        Err(Self::fault())
    }

    fn open(
        &self,
        _: UserId,
        _: FactorSecretUse,
        _: &SealedKey,
    ) -> Result<SecretSlice<u8>, FactorFault> {
        Err(Self::fault())
    }

    fn reseal(
        &self,
        _: UserId,
        _: FactorSecretUse,
        _: &SealedKey,
    ) -> Result<Option<SealedKey>, FactorFault> {
        Err(Self::fault())
    }

    fn code_mac(&self, _: UserId, _: &SealedKey, _: &RecoveryCode) -> Result<CodeMac, FactorFault> {
        Err(Self::fault())
    }
}

impl OneTimeCodes for NoFactors {
    fn step(&self, _: &SecretSlice<u8>, _: &OneTimeCode, _: Timestamp) -> Option<TotpStep> {
        None
    }

    fn enrolment(&self, _: &SecretSlice<u8>, _: &str) -> Result<TotpEnrolment, FactorFault> {
        Err(Self::fault())
    }
}

impl PasskeyCeremonies for NoFactors {
    fn begin_registration(&self, _: &PasskeyOwner<'_>) -> Result<Ceremony, FactorFault> {
        Err(Self::fault())
    }

    fn finish_registration(
        &self,
        _: &CeremonyState,
        _: &Value,
    ) -> Result<PasskeyCredential, CredentialRefused> {
        Err(Self::refused())
    }

    fn begin_sign_in(&self, _: Option<&[CredentialDescriptor]>) -> Result<Ceremony, FactorFault> {
        Err(Self::fault())
    }

    fn claimed(&self, _: &Value) -> Result<ClaimedCredential, CredentialRefused> {
        Err(Self::refused())
    }

    fn finish_sign_in(
        &self,
        _: &CeremonyState,
        _: &PasskeyCredential,
        _: &Value,
    ) -> Result<VerifiedCredential, CredentialRefused> {
        Err(Self::refused())
    }

    fn authenticator_name(&self, _: &uuid::Uuid) -> Option<&str> {
        None
    }
}
