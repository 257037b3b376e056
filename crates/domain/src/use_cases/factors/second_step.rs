//! The challenge between the first and the second step of a sign-in.

use crate::{
    model::{ChallengeId, FactorKind},
    use_cases::accounts::IssuedDevice,
};
use serde_json::Value;
use std::time::Duration;

/// What was proved first is right, and a factor begins the session: [`SignInByFactor`](super::SignInByFactor).
#[derive(Clone, Debug)]
pub struct SecondStep {
    /// The challenge.
    pub challenge: ChallengeId,
    /// What the account can show, at least one kind, in the order in which it should be offered.
    pub factors: Vec<FactorKind>,
    /// Where a passkey is one of them: `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3 §5.1.10).
    pub public_key: Option<Value>,
    /// The time until the challenge can't be used any more.
    pub expires_in: Duration,
    /// The device of the session, whose credential the client keeps as after a sign-in, and shows with the factor.
    pub device: IssuedDevice,
}

/// A ceremony of WebAuthn that waits for its second half.
#[derive(Clone, Debug)]
pub struct PasskeyChallenge {
    /// The challenge.
    pub challenge: ChallengeId,
    /// For the client: `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON` (WebAuthn Level 3 §5.1.9, §5.1.10).
    pub public_key: Value,
    /// The time until the challenge can't be used any more.
    pub expires_in: Duration,
}
