//! Authenticator apps and passkeys of a user.

use super::{Actor, Answer, path};
use reqwest::Method;
use revolve_adapters::system::SystemClock;
use revolve_domain::ports::Clock;
use ring::hmac;
use serde_json::{Value, json};

/// The origin and the relying party of the tests: those of the default issuer.
pub(crate) const ORIGIN: &str = "http://localhost:8080";
pub(crate) const RP_ID: &str = "localhost";

/// The seconds of a step (RFC 6238 §4.1).
const STEP: u64 = 30;

/// An authenticator app. It shares no code with the service.
pub(crate) struct TotpApp {
    secret: Vec<u8>,
    last: u64,
}

impl TotpApp {
    /// Set up by what the service answered.
    pub(crate) fn new(set_up: &Value) -> Self {
        let secret = set_up["secret"].as_str().expect("a text");
        assert!(
            set_up["uri"].as_str().expect("a text").contains(secret),
            "{set_up}"
        );
        Self {
            secret: base32(secret),
            last: 0,
        }
    }

    /// A code that it has not shown before. The service takes three of them at once: the one before the present one, that, and the next.
    pub(crate) fn code(&mut self) -> String {
        self.last = (self.last + 1).max(now() - 1);
        self.code_of(self.last)
    }

    /// The code that it showed last.
    pub(crate) fn again(&self) -> String {
        self.code_of(self.last)
    }

    /// A code of none of its steps.
    pub(crate) fn wrong(&self) -> String {
        let near: Vec<String> = (now() - 3..now() + 4)
            .map(|step| self.code_of(step))
            .collect();
        let mut all = (0..1_000_000).map(|number| format!("{number:06}"));
        all.find(|code| !near.contains(code))
            .expect("there are many")
    }

    /// RFC 4226 §5.3.
    fn code_of(&self, step: u64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let mac = hmac::sign(&key, &step.to_be_bytes());
        let mac = mac.as_ref();
        let offset = usize::from(mac[19] & 0xf);
        let bytes: [u8; 4] = mac[offset..offset + 4].try_into().expect("four bytes");
        let number = u32::from_be_bytes(bytes) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

fn now() -> u64 {
    u64::try_from(SystemClock.now().as_seconds()).expect("it is after 1970") / STEP
}

/// RFC 4648 §6, without padding.
fn base32(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0_u32, 0);
    for c in text.bytes() {
        let value = alphabet.iter().position(|known| *known == c);
        bits = bits << 5 | u32::try_from(value.expect("base 32")).expect("it is small");
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xff).to_le_bytes()[0]);
        }
    }
    bytes
}

impl Actor {
    /// Sets up an authenticator app; answers it with the recovery codes.
    pub(crate) async fn set_up_totp(&self) -> (TotpApp, Vec<String>) {
        let reauthentication = self.reauthenticate().await;
        let post =
            |operation, body| self.call_with(Method::POST, operation, body, &reauthentication);
        let answer = post("/factors/totp", None).await.expect(200).json();
        let mut app = TotpApp::new(&answer);
        let body = json!({ "code": app.code() });
        let answer = post("/factors/totp/confirm", Some(body)).await.expect(200);
        (app, recovery_codes(&answer.json()))
    }

    /// The first step of a sign-in to an account with a factor: the challenge. The device is kept.
    pub(crate) async fn challenge(&mut self, email: &str, password: &str) -> Value {
        let body = json!({ "email": email, "password": password });
        let answer = self.post("/signin", body).await;
        self.challenged(answer)
    }

    /// What asks for a factor; its device is kept.
    #[track_caller]
    pub(crate) fn challenged(&mut self, answer: Answer) -> Value {
        let json = answer.expect_problem(403, "factor_required").json();
        assert_eq!(json["expiresIn"], 300, "{json}");
        if let Some(credential) = json["device"]["credential"].as_str() {
            self.credential = Some(credential.to_owned());
        }
        json
    }

    /// The second step, on the device of the first.
    pub(crate) async fn second_step(&mut self, body: Value) -> Answer {
        let request = self
            .request(Method::POST, &path("/signin/factor"))
            .json(&body);
        let answer = self.send(self.showing(request)).await;
        self.keep_begun(answer)
    }
}

/// The ten recovery codes of an answer.
#[track_caller]
pub(crate) fn recovery_codes(answer: &Value) -> Vec<String> {
    let codes = answer["recoveryCodes"].as_array().expect("a list").iter();
    let codes: Vec<String> = codes
        .map(|code| code.as_str().expect("a text").to_owned())
        .collect();
    assert_eq!(codes.len(), 10, "{answer}");
    codes
}
