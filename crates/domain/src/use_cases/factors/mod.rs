//! Factors: passkeys, authenticator apps and recovery codes; the second step of a sign-in, and what operators do with factors.

mod apply_resets;
mod begin_passkey_sign_in;
mod begin_sign_up_passkey;
mod error;
mod manage_factors;
mod passkeys;
mod read_factors;
mod recovery_codes;
mod reseal_factors;
mod second_step;
mod shown;
mod sign_in_by_factor;
mod sign_in_by_passkey;
mod stop_factor_reset;
mod totp;

pub use apply_resets::ApplyFactorResets;
pub use begin_passkey_sign_in::BeginPasskeySignIn;
pub use begin_sign_up_passkey::{BeginSignUpPasskey, SignUpPasskeyRequest};
pub use error::{ChangeFactorsError, FactorSignInError};
pub use manage_factors::{ManageFactors, OrderedReset, ResetFactorsError};
pub use passkeys::{AddedPasskey, ManagePasskeys, NewPasskey};
pub use read_factors::ReadFactors;
pub use recovery_codes::{ReplaceRecoveryCodes, ShownRecoveryCodes};
pub use reseal_factors::ResealFactors;
pub use second_step::{PasskeyChallenge, SecondStep};
pub use shown::ShownFactor;
pub use sign_in_by_factor::{SecondStepRequest, SignInByFactor};
pub use sign_in_by_passkey::{PasskeySignInRequest, SignInByPasskey};
pub use stop_factor_reset::{StopFactorReset, StopFactorResetError};
pub use totp::{ManageTotp, NewTotp};
