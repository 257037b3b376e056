//! A real service, embedded, that signs with a key the tests have.

use super::TestKey;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::Client;
use revolve::{Application, config::Config};
use revolve_verify::Algorithm;
use serde_json::{Value, json};
use tokio::sync::oneshot;

/// A service that runs.
pub(crate) struct RunningService {
    pub(crate) base: String,
    client: Client,
}

/// A user who has just signed up.
pub(crate) struct SignedUp {
    pub(crate) refresh: String,
    pub(crate) claims: Value,
}

/// Runs a test against a service that signs with the issuer's key for an algorithm.
pub(crate) fn with_service(algorithm: Algorithm, test: impl AsyncFnOnce(RunningService)) {
    actix_web::rt::System::new().block_on(async move {
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "data_dir = '{}'\nhttp.listen = '127.0.0.1:0'\nhttp.workers = 2\nhttp.shutdown_timeout = '1s'\nhashing.memory_kib = 64\n\
             hashing.passes = 1\ntokens.algorithm = '{algorithm}'\ntokens.signing_key = '''{}'''\n",
            folder.path().display(),
            TestKey::of_issuer(algorithm).pem(),
        );
        let application = Application::build(Config::from_toml(&config).unwrap()).await.unwrap();
        let base = format!("http://{}", application.address());
        let (stop, stopped) = oneshot::channel::<()>();
        let running = actix_web::rt::spawn(application.run(async move { drop(stopped.await) }));
        let client = Client::builder().no_proxy().build().unwrap();
        test(RunningService { base, client }).await;
        drop(stop);
        running.await.unwrap().unwrap();
    });
}

impl RunningService {
    pub(crate) async fn sign_up(&self, email: &str) -> SignedUp {
        let request = self
            .client
            .post(format!("{}/api/account/signup", self.base));
        let answer = request
            .json(&json!({ "email": email, "password": "correct horse battery" }))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Value = answer.json().await.unwrap();
        let token = |name: &str| answer["tokens"][name].as_str().unwrap().to_owned();
        let id_token = token("idToken");
        let payload = id_token.split('.').nth(1).unwrap();
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        SignedUp {
            refresh: token("refreshToken"),
            claims,
        }
    }

    /// The status of `GET /api/account/me` with a token; `None` if the connection ended without.
    pub(crate) async fn me(&self, token: &str) -> Option<u16> {
        let request = self
            .client
            .get(format!("{}/api/account/me", self.base))
            .header("authorization", format!("Bearer {token}"));
        request
            .send()
            .await
            .ok()
            .map(|answer| answer.status().as_u16())
    }
}
