//! Passkeys, also such as must be refused, which the service and the libraries of WebAuthn judge alike; and codes of a library of authenticator apps.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use revolve_testkit::authenticator::{KeyAlgorithm, VirtualAuthenticator};
use serde_json::{Value, json};

use super::tools::{AppCodes, Judgement, PasskeyTask, Tools};
use crate::harness::{
    http::HttpClient,
    message::{Request, Response},
    service::{Binary, Instance, Settings},
    windows::Windows,
};

/// The service's origin, whose host is the RP id. Nothing is sent there.
const ORIGIN: &str = "http://localhost:8080";
const PASSWORD: &str = "correct horse battery";

const ALGORITHMS: [(KeyAlgorithm, &str); 3] = [
    (KeyAlgorithm::Es256, "ES256"),
    (KeyAlgorithm::EdDsa, "EdDSA"),
    (KeyAlgorithm::Rs256, "RS256"),
];

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Origin,
    RpId,
    UserVerification,
    Challenge,
    Signature,
    Nothing,
}

/// In what order: the authenticator signs in with its latest passkey, which has to be the one that counts.
const REGISTRATIONS: [Fault; 5] = [
    Fault::Origin,
    Fault::RpId,
    Fault::UserVerification,
    Fault::Challenge,
    Fault::Nothing,
];
const SIGN_INS: [Fault; 6] = [
    Fault::Origin,
    Fault::RpId,
    Fault::UserVerification,
    Fault::Challenge,
    Fault::Signature,
    Fault::Nothing,
];

/// A passkey that all have to judge alike.
struct PasskeyCase {
    what: String,
    is_good: bool,
    task: PasskeyTask,
}

struct Api {
    http: HttpClient,
    base: String,
}

/// Has the service and the libraries judge. Answers a line for each library.
///
/// # Errors
/// If one accepts what it should not, or the other way round.
pub(super) async fn run(tools: &Tools, binary: &Binary, folder: &Path) -> Result<Vec<String>> {
    let settings = Settings::new(&Windows::SHORT)
        .data_dir(&folder.join("data"))
        .with("TOKENS__ISSUER", ORIGIN);
    let mut instance = Instance::start(binary, &settings, folder.join("service")).await?;
    let api = Api {
        http: HttpClient::new()?,
        base: format!("{}/api/account", instance.url()),
    };
    let mut cases = Vec::new();
    for (algorithm, name) in ALGORITHMS {
        let judged = judged_by_service(&api, algorithm, name).await;
        cases.extend(judged.with_context(|| format!("passkeys with {name}"))?);
    }
    let app = app_codes(tools, &api).await?;
    instance.stop().await?;

    let tasks: Vec<_> = cases.iter().map(|case| &case.task).collect();
    let good = cases.iter().filter(|case| case.is_good).count();
    let bad = cases.len() - good;
    let mut lines = Vec::new();
    for Judgement {
        library,
        version,
        accepted,
    } in tools.verify_passkeys(&tasks).await?
    {
        ensure!(
            accepted.len() == cases.len(),
            "{library} answers {accepted:?}"
        );
        let judged = cases.iter().zip(accepted);
        let wrong: Vec<_> = judged
            .filter(|(case, accepted)| case.is_good != *accepted)
            .map(|(case, _)| case.what.as_str())
            .collect();
        ensure!(
            wrong.is_empty(),
            "{library} {version} does not judge as the service does: {}",
            wrong.join(", ")
        );
        lines.push(format!(
            "{library} {version}: {good} passkeys accepted, {bad} refused, as by the service"
        ));
    }
    lines.push(app);
    Ok(lines)
}

/// Registrations and sign-ins of one algorithm, of which the service accepts the good ones and no other.
async fn judged_by_service(
    api: &Api,
    algorithm: KeyAlgorithm,
    name: &str,
) -> Result<Vec<PasskeyCase>> {
    let email = format!("{}@example.org", name.to_lowercase());
    let mut authenticator = VirtualAuthenticator::with(|one| one.algorithm = algorithm);
    let mut cases = Vec::new();
    let mut registration = None;
    for fault in REGISTRATIONS {
        let begun = api
            .post("signup/passkey/options", &json!({ "email": email }))
            .await?;
        let response = made(fault, &mut authenticator, &begun, |one, options, origin| {
            Some(one.create(options, origin))
        })?;
        let passkey = json!({ "challenge": begun["challenge"], "credential": response });
        let body = json!({ "email": email, "passkey": passkey });
        let case = PasskeyCase::new(&format!("{name}, sign-up"), fault, &begun, response, None);
        case.check(&api.send("signup", &body).await?)?;
        registration = Some(Box::new(case.task.clone()));
        cases.push(case);
    }
    for fault in SIGN_INS {
        let begun = api.post("signin/passkey/options", &json!({})).await?;
        let response = made(fault, &mut authenticator, &begun, |one, options, origin| {
            one.get(options, origin)
        })?;
        let body = json!({ "challenge": begun["challenge"], "credential": response });
        let registration = registration.clone();
        let what = format!("{name}, sign-in");
        let case = PasskeyCase::new(&what, fault, &begun, response, registration);
        case.check(&api.send("signin/passkey", &body).await?)?;
        cases.push(case);
    }
    Ok(cases)
}

/// What the authenticator makes for the options of a ceremony.
fn made(
    fault: Fault,
    authenticator: &mut VirtualAuthenticator,
    begun: &Value,
    make: fn(&mut VirtualAuthenticator, &Value, &str) -> Option<Value>,
) -> Result<Value> {
    authenticator.rp_id = (fault == Fault::RpId).then(|| "example.org".to_owned());
    authenticator.user_verified = fault != Fault::UserVerification;
    let mut options = begun["publicKey"].clone();
    if fault == Fault::Challenge {
        options["challenge"] = URL_SAFE_NO_PAD.encode([0; 32]).into();
    }
    let origin = match fault {
        Fault::Origin => "http://localhost:8081",
        _ => ORIGIN,
    };
    let mut made = make(authenticator, &options, origin).context("there is no passkey")?;
    if fault == Fault::Signature {
        let signature = &mut made["response"]["signature"];
        let mut bytes = URL_SAFE_NO_PAD.decode(signature.as_str().unwrap_or_default())?;
        *bytes.last_mut().context("there is no signature")? ^= 1;
        *signature = URL_SAFE_NO_PAD.encode(bytes).into();
    }
    Ok(made)
}

impl PasskeyCase {
    fn new(
        ceremony: &str,
        fault: Fault,
        begun: &Value,
        response: Value,
        registration: Option<Box<PasskeyTask>>,
    ) -> Self {
        Self {
            what: format!("{ceremony}, wrong: {fault:?}"),
            is_good: fault == Fault::Nothing,
            task: PasskeyTask {
                options: begun["publicKey"].clone(),
                origin: ORIGIN,
                response,
                registration,
            },
        }
    }

    /// How the service has judged it.
    fn check(&self, answer: &Response) -> Result<()> {
        let is_refused = answer.status == 422 && answer.code() == "credential_refused";
        let is_right = if self.is_good {
            answer.is_success()
        } else {
            is_refused
        };
        ensure!(
            is_right,
            "the service answers {} {} to {}",
            answer.status,
            answer.code(),
            self.what
        );
        Ok(())
    }
}

/// Sets up a library as an authenticator app, and signs in with its codes.
async fn app_codes(tools: &Tools, api: &Api) -> Result<String> {
    let account = json!({ "email": "app@example.org", "password": PASSWORD });
    let begun = api.post("signup", &account).await?;
    let token = text(&begun, "/tokens/idToken")?;
    let device = text(&begun, "/device/credential")?;
    let call = async |operation: &str, shown: Option<&str>, body: &Value| {
        let mut request = Request::post(&api.url(operation), body)?
            .bearer(token)
            .header("Revolve-Device", device);
        if let Some(shown) = shown {
            request = request.header("Revolve-Reauthentication", shown);
        }
        succeeded(operation, &api.http.send(&request).await?)
    };
    let password = json!({ "currentPassword": PASSWORD });
    let reauthenticated = call("reauthenticate", None, &password).await?;
    let shown = Some(text(&reauthenticated, "/reauthentication")?);
    let app = call("factors/totp", shown, &json!({})).await?;
    let AppCodes {
        library,
        version,
        codes: [now, next],
    } = tools.app_codes(text(&app, "/uri")?).await?;
    call("factors/totp/confirm", shown, &json!({ "code": now })).await?;

    let challenged = api.send("signin", &account).await?;
    ensure!(
        challenged.code() == "factor_required",
        "a sign-in is answered with {} {}",
        challenged.status,
        challenged.code()
    );
    let challenge = challenged.text("/challenge")?;
    let device = challenged.text("/device/credential")?;
    for (code, expected) in [(&now, "code_used"), (&next, "")] {
        let body = json!({ "challenge": challenge, "totp": code });
        let request = Request::post(&api.url("signin/factor"), &body)?;
        let request = request.header("Revolve-Device", &device);
        let answer = api.http.send(&request).await?;
        ensure!(
            answer.code() == expected && answer.is_success() == expected.is_empty(),
            "{library} {version}: a code is answered with {} {}",
            answer.status,
            answer.code()
        );
    }
    Ok(format!(
        "{library} {version}: its codes set up an app and sign in, each once"
    ))
}

impl Api {
    fn url(&self, operation: &str) -> String {
        format!("{}/{operation}", self.base)
    }

    async fn send(&self, operation: &str, body: &Value) -> Result<Response> {
        self.http.post(&self.url(operation), body).await
    }

    async fn post(&self, operation: &str, body: &Value) -> Result<Value> {
        succeeded(operation, &self.send(operation, body).await?)
    }
}

fn succeeded(operation: &str, answer: &Response) -> Result<Value> {
    ensure!(
        answer.is_success(),
        "{operation} was answered with {} {}",
        answer.status,
        answer.code()
    );
    answer.json()
}

fn text<'a>(answer: &'a Value, pointer: &str) -> Result<&'a str> {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.with_context(|| format!("the answer has no {pointer}"))
}
