//! Factors of honest clients: authenticator apps and authenticators.

use super::{TestClient, World};
use crate::memory::{TestAuthenticator, TestCodes};
use revolve_domain::{
    model::OneTimeCode,
    ports::Clock,
    use_cases::{
        AddedPasskey, Begun, ChangeFactorsError, FactorSignInError, NewPasskey,
        PasskeySignInRequest, SecondStep, SecondStepRequest, ShownFactor, ShownRecoveryCodes,
        SignInError, SignInRequest,
    },
};
use secrecy::SecretString;

/// An authenticator app that was set up.
pub struct TestApp {
    secret: SecretString,
    /// The recovery codes that came with it, if it was the first factor.
    pub recovery_codes: Option<ShownRecoveryCodes>,
}

impl TestApp {
    /// The code that it shows now.
    pub fn code(&self, world: &World) -> OneTimeCode {
        TestCodes::code(&self.secret, world.clock.now())
    }

    /// That code, for a second step.
    pub fn shown(&self, world: &World) -> ShownFactor {
        ShownFactor::Totp(self.code(world))
    }
}

impl TestClient<'_> {
    /// Sets up an authenticator app for `name`, whose first code is that of now.
    ///
    /// # Panics
    /// If a use case fails.
    pub async fn set_up_app(&self, name: &str) -> TestApp {
        let caller = self.reauthenticated(name).await;
        let totp = &self.world.manage_totp;
        let new = totp.set_up(&caller).await;
        let new = new.unwrap_or_else(|error| panic!("expected {name} to get a secret: {error}"));
        let code = TestCodes::code(&new.secret, self.world.clock.now());
        let confirmed = totp.confirm(&caller, &code).await;
        TestApp {
            secret: new.secret,
            recovery_codes: confirmed
                .unwrap_or_else(|error| panic!("expected {name}'s code to be right: {error}")),
        }
    }

    /// Adds a passkey of this authenticator for `name`, who has a password.
    ///
    /// # Errors
    /// As the use case.
    ///
    /// # Panics
    /// If the registration can't be begun.
    pub async fn add_passkey(
        &self,
        name: &str,
        authenticator: &TestAuthenticator,
    ) -> Result<AddedPasskey, ChangeFactorsError> {
        let caller = self.reauthenticated(name).await;
        let begun = self.world.manage_passkeys.begin(&caller).await;
        let begun = begun.unwrap_or_else(|error| panic!("expected a challenge: {error}"));
        let new = NewPasskey {
            challenge: begun.challenge,
            credential: authenticator.create(&begun.public_key),
            name: None,
        };
        self.world.manage_passkeys.add(&caller, new).await
    }
}

impl World {
    /// Signs in by the password, which is a first step.
    ///
    /// # Panics
    /// If no second step follows.
    pub async fn first_step(&self, request: SignInRequest) -> SecondStep {
        match self.sign_in.execute(request).await {
            Err(SignInError::FactorRequired(step)) => *step,
            other => panic!("expected a second step, got {other:?}"),
        }
    }

    /// What answers this step on the client of the first.
    pub fn answer(&self, step: &SecondStep, factor: ShownFactor) -> SecondStepRequest {
        SecondStepRequest {
            challenge: step.challenge,
            factor,
            device_credentials: vec![step.device.credential.clone()],
            client: Self::request("anybody").client,
        }
    }

    /// Shows the factor on the client of the first step.
    ///
    /// # Errors
    /// As the use case.
    pub async fn second_step(
        &self,
        step: &SecondStep,
        factor: ShownFactor,
    ) -> Result<Begun, FactorSignInError> {
        let request = self.answer(step, factor);
        self.sign_in_by_factor.execute(request).await
    }

    /// Signs in with the newest passkey of this authenticator, on a new device.
    ///
    /// # Errors
    /// As the use case.
    ///
    /// # Panics
    /// If no challenge is answered.
    pub async fn sign_in_with(
        &self,
        authenticator: &TestAuthenticator,
    ) -> Result<Begun, FactorSignInError> {
        let client = Self::request("anybody").client;
        let begun = self.begin_passkey_sign_in.execute(&client).await;
        let begun = begun.unwrap_or_else(|error| panic!("expected a challenge: {error}"));
        let request = PasskeySignInRequest {
            challenge: begun.challenge,
            credential: authenticator.get(&begun.public_key),
            device_name: None,
            device_credentials: Vec::new(),
            client,
        };
        self.sign_in_by_passkey.execute(request).await
    }
}
