//! Webhooks of the service, also in a rotation, verified by the libraries of Standard Webhooks; and what was tampered with or is old, which they
//! must refuse.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use revolve_testkit::webhook_sink::{ReceivedHook, WebhookSink, signature};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

use super::{
    issuer::post,
    tools::{Judgement, SignedRequest, Tools},
};
use crate::harness::{
    http::HttpClient,
    process,
    service::{Binary, Instance, Settings},
    windows::Windows,
};

/// A secret that signs nothing.
const FOREIGN: &str = "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// A request that a library must accept or refuse.
struct HookCase {
    what: &'static str,
    request: SignedRequest,
    is_good: bool,
}

/// Has the service send events, and every library verify them. Answers a line for each.
///
/// # Errors
/// If one accepts what it should not, or the other way round.
pub(super) async fn run(tools: &Tools, binary: &Binary, folder: &Path) -> Result<Vec<String>> {
    let sink = WebhookSink::start().await?;
    let settings = Settings::new(&Windows::SHORT)
        .data_dir(&folder.join("data"))
        .with("WEBHOOKS__ALLOW_PRIVATE", "127.0.0.0/8");
    let mut instance = Instance::start(binary, &settings, folder.join("service")).await?;
    let revolve = async |arguments: &[&str]| {
        let mut command = Command::new(binary.path());
        let command = command.current_dir(folder).envs(settings.variables());
        process::output(command.arg("webhooks").args(arguments)).await
    };
    let (url, events) = (sink.url(), "account.created");
    let create = [
        "create", "--json", "--name", "interop", "--url", &url, "--events", events,
    ];
    let created: Value = serde_json::from_str(&revolve(&create).await?)?;
    let (id, first) = (text(&created, "id")?, text(&created, "secret")?);
    let account = json!({ "email": "ann@example.org", "password": "correct horse battery" });
    post(&HttpClient::new()?, instance.url(), "signup", &account).await?;
    let mut cases = signed(&received(&sink).await?, &first)?;

    let rotated: Value = serde_json::from_str(&revolve(&["rotate", "--json", &id]).await?)?;
    let second = text(&rotated, "secret")?;
    revolve(&["test", &id]).await?;
    cases.extend(signed_twice(&received(&sink).await?, &first, &second)?);
    instance.stop().await?;

    let requests: Vec<_> = cases.iter().map(|case| &case.request).collect();
    let mut lines = Vec::new();
    for Judgement {
        library,
        version,
        accepted,
    } in tools.verify_hooks(&requests).await?
    {
        ensure!(
            accepted.len() == cases.len(),
            "{library} answers {accepted:?}"
        );
        let judged = cases.iter().zip(accepted);
        let wrong: Vec<_> = judged
            .filter(|(case, accepted)| case.is_good != *accepted)
            .map(|(case, _)| case.what)
            .collect();
        ensure!(
            wrong.is_empty(),
            "{library} {version} does not judge as it should: {}",
            wrong.join(", ")
        );
        let good = cases.iter().filter(|case| case.is_good).count();
        lines.push(format!(
            "{library} {version}: {good} webhooks accepted, {} refused",
            cases.len() - good
        ));
    }
    Ok(lines)
}

/// The next request that the service sends.
async fn received(sink: &WebhookSink) -> Result<ReceivedHook> {
    timeout(Duration::from_secs(30), sink.wait_for(1)).await?;
    sink.take().pop().context("nothing was sent")
}

fn text(answer: &Value, member: &str) -> Result<String> {
    let text = answer[member].as_str().map(str::to_owned);
    text.with_context(|| format!("the webhook has no {member}"))
}

fn request(hook: &ReceivedHook, secret: &str) -> SignedRequest {
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers = names.map(|name| (name.to_owned(), hook.header(name).to_owned()));
    SignedRequest {
        secret: secret.to_owned(),
        headers: headers.into(),
        body: hook.body.clone(),
    }
}

fn with(request: &SignedRequest, name: &str, value: &str) -> SignedRequest {
    let mut changed = request.clone();
    changed.headers.insert(name.to_owned(), value.to_owned());
    changed
}

/// A request that one secret has signed, and what was made of it.
fn signed(hook: &ReceivedHook, secret: &str) -> Result<Vec<HookCase>> {
    let good = request(hook, secret);
    let tampered = SignedRequest {
        body: good.body.replace("account.created", "account.deleted"),
        ..good.clone()
    };
    ensure!(tampered.body != good.body, "another event: {}", good.body);
    let spaced = SignedRequest {
        body: format!("{} ", good.body),
        ..good.clone()
    };
    let sent: i64 = hook.header("webhook-timestamp").parse()?;
    let at = |seconds: i64| with(&good, "webhook-timestamp", &(sent + seconds).to_string());
    // Signed rightly, so that only its time is wrong.
    let signed_at = |seconds: i64| {
        let time = (sent + seconds).to_string();
        let signature = signature(secret, hook.header("webhook-id"), &time, &good.body);
        with(&at(seconds), "webhook-signature", &signature)
    };
    let bad = |what, request| HookCase {
        what,
        request,
        is_good: false,
    };
    Ok(vec![
        bad("a tampered body", tampered),
        bad("a body with a space more", spaced),
        bad("a foreign secret", request(hook, FOREIGN)),
        bad("another id", with(&good, "webhook-id", "another")),
        bad("another time", at(-1)),
        bad("a signature of long ago", signed_at(-600)),
        bad("a signature of a time to come", signed_at(600)),
        bad("no signature", with(&good, "webhook-signature", "")),
        HookCase {
            what: "a signature that is our own",
            request: signed_at(-1),
            is_good: true,
        },
        HookCase {
            what: "the service's signature",
            request: good,
            is_good: true,
        },
    ])
}

/// A request in the midst of a rotation: both secrets verify it, and each does only with its own signature.
fn signed_twice(hook: &ReceivedHook, old: &str, new: &str) -> Result<Vec<HookCase>> {
    ensure!(old != new, "a rotation makes a new secret");
    let signatures: Vec<_> = hook.header("webhook-signature").split(' ').collect();
    let [of_new, of_old] = signatures[..] else {
        bail!("a rotation has two signatures, and not {signatures:?}")
    };
    let only = |secret, signature| with(&request(hook, secret), "webhook-signature", signature);
    let tampered = |secret| {
        let request = request(hook, secret);
        let body = request.body.replace("webhook.tested", "account.created");
        SignedRequest { body, ..request }
    };
    let case = |what, request, is_good| HookCase {
        what,
        request,
        is_good,
    };
    Ok(vec![
        case("the new secret in a rotation", request(hook, new), true),
        case("the old secret in a rotation", request(hook, old), true),
        case("the new secret's signature alone", only(new, of_new), true),
        case("the old secret's signature alone", only(old, of_old), true),
        case(
            "the old secret's signature for the new one",
            only(new, of_old),
            false,
        ),
        case(
            "the new secret's signature for the old one",
            only(old, of_new),
            false,
        ),
        case(
            "a foreign secret in a rotation",
            request(hook, FOREIGN),
            false,
        ),
        case("a tampered body in a rotation", tampered(new), false),
        case("a tampered body, by the old secret", tampered(old), false),
    ])
}
