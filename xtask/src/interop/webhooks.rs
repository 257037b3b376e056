//! A webhook of the service, verified by the libraries of Standard Webhooks; and what was tampered with, which they must refuse.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use revolve_testkit::webhook_sink::WebhookSink;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

use super::{issuer::post, tools::Tools};
use crate::harness::{
    http::HttpClient,
    process,
    service::{Binary, Instance, Settings},
    windows::Windows,
};

/// A request that a library verifies.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SignedRequest {
    secret: String,
    headers: Value,
    body: String,
}

/// What a library says of each request.
#[derive(Debug, Deserialize)]
pub(super) struct HookVerdicts {
    library: String,
    version: String,
    accepted: Vec<bool>,
}

/// Has the service send an event, and every library verify it. Answers a line for each.
///
/// # Errors
/// If one accepts what it should not, or the other way round.
pub(super) async fn run(tools: &Tools, binary: &Binary, folder: &Path) -> Result<Vec<String>> {
    let sink = WebhookSink::start().await?;
    let settings = Settings::new(&Windows::SHORT)
        .data_dir(&folder.join("data"))
        .with("WEBHOOKS__ALLOW_PRIVATE", "127.0.0.0/8");
    let mut instance = Instance::start(binary, &settings, folder.join("service")).await?;
    let mut create = Command::new(binary.path());
    create
        .current_dir(folder)
        .envs(settings.variables())
        .args(["webhooks", "create", "--json", "--name", "interop"])
        .args(["--url", &sink.url(), "--events", "account.created"]);
    let created: Value = serde_json::from_str(&process::output(&mut create).await?)?;
    let secret = created["secret"]
        .as_str()
        .context("the webhook has no secret")?;
    let account = json!({ "email": "ann@example.org", "password": "correct horse battery" });
    post(&HttpClient::new()?, instance.url(), "signup", &account).await?;
    let received = timeout(Duration::from_secs(30), sink.wait_for(1)).await?;
    let hook = received.first().context("nothing was sent")?;
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, _> = names
        .iter()
        .map(|name| ((*name).to_owned(), hook.header(name).into()))
        .collect();
    let good = SignedRequest {
        secret: secret.to_owned(),
        headers: headers.clone().into(),
        body: hook.body.clone(),
    };
    let with = |name: &str, value: &str| {
        let mut headers = headers.clone();
        headers.insert(name.to_owned(), value.into());
        SignedRequest {
            headers: headers.into(),
            ..good.clone()
        }
    };
    let other_body = good.body.replace("account.created", "account.deleted");
    ensure!(
        other_body != good.body,
        "the event has another name: {}",
        good.body
    );
    let requests = [
        good.clone(),
        SignedRequest {
            body: other_body,
            ..good.clone()
        },
        SignedRequest {
            secret: "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned(),
            ..good.clone()
        },
        with("webhook-id", "another"),
        // Long ago.
        with("webhook-timestamp", "1600000000"),
    ];
    let mut lines = Vec::new();
    for HookVerdicts {
        library,
        version,
        accepted,
    } in tools.verify_hooks(&requests).await?
    {
        ensure!(
            accepted == [true, false, false, false, false],
            "{library} {version} accepts other webhooks than it should: {accepted:?}"
        );
        lines.push(format!(
            "{library} {version}: 1 webhook accepted, 4 refused"
        ));
    }
    instance.stop().await?;
    Ok(lines)
}
