//! Factors: their store, their secrets, and the libraries that compute with them.

mod ceremonies;
mod changes;
mod none;
mod secrets;
mod store;

pub use crate::model::CeremonyState;
pub use ceremonies::{
    Ceremony, ClaimedCredential, CredentialRefused, PasskeyCeremonies, PasskeyOwner,
    VerifiedCredential,
};
pub use changes::{
    AddFactorOutcome, CodesOutcome, CodesReplacement, FactorRemoval, FactorSignIn,
    FactorSignInOutcome, OpenChallenge, PasskeyRegistration, PasskeyRename, PasskeySignUp,
    PasskeySignUpOutcome, RemoveFactorOutcome, RenameOutcome, ResetFactors, ResetOrder,
    ResetOrderOutcome, ResetOutcome, ShowOutcome, ShownInSession, StopReset, StopResetOutcome,
    TotpConfirmation, TotpSetUp, TotpSetUpOutcome,
};
pub use none::NoFactors;
pub use secrets::{FactorFault, FactorSecretUse, FactorSecrets, OneTimeCodes, TotpEnrolment};
pub use store::{Factors, SealedFactor};
