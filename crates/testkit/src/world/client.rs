//! Honest clients: they keep the tokens of each answer and present the newest.

use super::World;
use revolve_domain::{
    model::{ClientInfo, EmailAddress, Label, Password, SessionId, UserId},
    rotation::Entry,
    use_cases::{
        Begun, Caller, RefreshRequest, Refreshed, Refused, SignInError, SignInRequest, SignUpError,
        TokenPair,
    },
};
use secrecy::SecretString;

/// A client of a [`World`] that has signed in.
pub struct TestClient<'w> {
    pub(super) world: &'w World,
    /// The account.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The newest ID token.
    pub id_token: SecretString,
    /// The newest refresh token.
    pub refresh_token: SecretString,
    /// The device credential of the sign-in.
    pub credential: SecretString,
    /// Whether the client shows its credential when it refreshes, and in its calls.
    pub shows_credential: bool,
}

impl World {
    /// The request of a user called `name` on a new device: `<name>@example.org` with `<name>'s password`.
    ///
    /// # Panics
    /// If the name makes no address.
    pub fn request(name: &str) -> SignInRequest {
        SignInRequest {
            email: EmailAddress::parse(&format!("{name}@example.org"))
                .expect("a name makes an address"),
            password: Self::password(&format!("{name}'s password")),
            device_name: Label::lossy(&format!("{name}'s device")),
            device_credentials: Vec::new(),
            proof_cookie: None,
            locale: None,
            client: ClientInfo {
                address: Some([192, 0, 2, 1].into()),
                user_agent: Label::lossy("testkit/1"),
                origin: None,
            },
        }
    }

    /// A password.
    ///
    /// # Panics
    /// If it is longer than a password may be.
    pub fn password(text: &str) -> Password {
        Password::present(&SecretString::from(text))
            .expect("a password of a test has a fair length")
    }

    /// Signs up.
    ///
    /// # Errors
    /// As the use case.
    ///
    /// # Panics
    /// If the mailbox has to be proved first.
    pub async fn try_sign_up(&self, name: &str) -> Result<TestClient<'_>, SignUpError> {
        let signed_up = self.sign_up.execute(Self::request(name)).await?;
        let begun = signed_up.begun();
        Ok(self.client(begun.expect("the world asks for no proof")))
    }

    /// Signs up successfully.
    ///
    /// # Panics
    /// If the use case fails.
    pub async fn signed_up(&self, name: &str) -> TestClient<'_> {
        self.try_sign_up(name)
            .await
            .unwrap_or_else(|error| panic!("expected {name} to be signed up: {error}"))
    }

    /// Signs in on a new device.
    ///
    /// # Errors
    /// As the use case.
    pub async fn try_sign_in(&self, name: &str) -> Result<TestClient<'_>, SignInError> {
        Ok(self.client(self.sign_in.execute(Self::request(name)).await?))
    }

    /// Signs in on a new device successfully.
    ///
    /// # Panics
    /// If the use case fails.
    pub async fn signed_in(&self, name: &str) -> TestClient<'_> {
        self.try_sign_in(name)
            .await
            .unwrap_or_else(|error| panic!("expected {name} to be signed in: {error}"))
    }

    /// The client of this answer.
    pub fn client(&self, begun: Begun) -> TestClient<'_> {
        TestClient {
            world: self,
            user: begun.session.user,
            session: begun.session.id,
            id_token: begun.tokens.id_token,
            refresh_token: begun.tokens.refresh_token,
            credential: begun.device.credential,
            shows_credential: false,
        }
    }
}

impl TestClient<'_> {
    /// Refreshes with the newest token and keeps the answer.
    ///
    /// # Errors
    /// As the use case; then the client keeps the tokens that it has.
    pub async fn refresh(&mut self) -> Result<Refreshed, Refused> {
        let refreshed = self.present(&self.refresh_token).await?;
        self.keep(&refreshed.tokens);
        Ok(refreshed)
    }

    /// Presents a refresh token and discards the answer.
    ///
    /// # Errors
    /// As the use case.
    pub async fn present(&self, token: &SecretString) -> Result<Refreshed, Refused> {
        self.world.refresh.execute(self.request(token)).await
    }

    /// The request that presents this token.
    pub fn request(&self, token: &SecretString) -> RefreshRequest {
        RefreshRequest {
            token: token.clone(),
            device_credentials: self.shown(),
            client: ClientInfo {
                address: Some([192, 0, 2, 2].into()),
                ..ClientInfo::default()
            },
        }
    }

    fn shown(&self) -> Vec<SecretString> {
        let shown = self.shows_credential.then(|| self.credential.clone());
        shown.into_iter().collect()
    }

    /// What a call of this client shows.
    pub fn caller(&self) -> Caller {
        Caller {
            id_token: self.id_token.clone(),
            device_credentials: self.shown(),
            reauthentication: None,
            client: ClientInfo {
                address: Some([192, 0, 2, 2].into()),
                ..ClientInfo::default()
            },
        }
    }

    /// What a call of this client shows after it has shown the password of `name`.
    ///
    /// # Panics
    /// If the use case fails.
    pub async fn reauthenticated(&self, name: &str) -> Caller {
        let password = World::password(&format!("{name}'s password"));
        let reauthenticated = self
            .world
            .reauthenticate
            .execute(&self.caller(), &password)
            .await
            .unwrap_or_else(|error| panic!("expected {name} to reauthenticate: {error}"));
        Caller {
            reauthentication: Some(reauthenticated.token),
            ..self.caller()
        }
    }

    /// Uses these tokens from now on.
    pub fn keep(&mut self, tokens: &TokenPair) {
        self.id_token = tokens.id_token.clone();
        self.refresh_token = tokens.refresh_token.clone();
    }

    /// Signs in again on this device and replaces this client's session.
    ///
    /// # Errors
    /// As the use case.
    pub async fn sign_in_again(&self, name: &str) -> Result<Self, SignInError> {
        let request = SignInRequest {
            device_credentials: vec![self.credential.clone()],
            ..World::request(name)
        };
        let begun = self.world.sign_in.execute(request).await?;
        Ok(Self {
            shows_credential: true,
            ..self.world.client(begun)
        })
    }

    /// The white-list entry of this client's session.
    pub fn entry(&self) -> Option<Entry> {
        self.world.tokens.inner().entry(self.user, self.session)
    }
}
