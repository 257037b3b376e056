//! Factors: their store, their secrets, and the libraries that compute with them.

mod ceremonies;
mod secrets;

pub use ceremonies::{
    Ceremony, CeremonyState, ClaimedCredential, CredentialRefused, PasskeyCeremonies, PasskeyOwner,
    VerifiedCredential,
};
pub use secrets::{FactorFault, FactorSecretUse, FactorSecrets, OneTimeCodes, TotpEnrolment};
