//! Libraries of OAuth clients, which refresh at the service for an hour, ask about tokens, and sign out.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{
    issuer::{AUDIENCE, post},
    tools::{ClientDone, ClientTask, Library, Tools},
};
use crate::harness::{
    faketime::{self, FakeClock},
    http::HttpClient,
    proxy::Proxy,
    service::{Binary, Instance, Settings},
    windows::Windows,
};

const LIBRARIES: [Library; 4] = [
    Library::Node("openid-client"),
    Library::Node("oauth4webapi"),
    Library::Python("authlib"),
    Library::Python("requests-oauthlib"),
];

/// An hour, in which ID tokens expire.
const REFRESHES: u32 = 12;
const PAUSE: Duration = Duration::from_mins(5);

/// Those of the service's defaults: a retry comes at once.
const WINDOWS: Windows = Windows {
    retry_free: Duration::from_secs(10),
    retry_window: Duration::from_mins(10),
    bound_retry_window: Duration::from_hours(24),
    ..Windows::SHORT
};

/// Has every library play a client. Answers a line for each.
///
/// # Errors
/// If one does not get what it should.
pub(super) async fn run(tools: &Tools, binary: &Binary, folder: &Path) -> Result<Vec<String>> {
    fs::create_dir_all(folder)?;
    let (proxy, http) = (Proxy::bind().await?, HttpClient::new()?);
    let issuer = proxy.http_url();
    let mut settings = Settings::new(&WINDOWS)
        .data_dir(&folder.join("data"))
        .with("TOKENS__ISSUER", &issuer)
        .with("TOKENS__AUDIENCE", AUDIENCE);
    let clock = faketime::library()
        .map(|library| FakeClock::new(&library, folder.join("clock")))
        .transpose()?;
    if let Some(clock) = &clock {
        settings = clock.of(&settings);
    }
    let mut instance = Instance::start(binary, &settings, folder.join("service")).await?;
    proxy.lead_to(&instance.url().parse()?)?;
    let key = instance.make_key("tokens:introspect").await?;
    let time = if clock.is_some() {
        "in a simulated hour"
    } else {
        "at once, since without libfaketime no time passes"
    };
    let mut lines = Vec::new();
    for (number, library) in LIBRARIES.into_iter().enumerate() {
        let email = format!("client-{number}@example.org");
        let account = json!({ "email": email, "password": "correct horse battery" });
        let signed_up = post(&http, &issuer, "signup", &account).await?;
        let text = |pointer: &str| {
            let found = signed_up.pointer(pointer).and_then(|value| value.as_str());
            found.with_context(|| format!("the answer to the sign-up has no {pointer}"))
        };
        let task = ClientTask {
            issuer: &issuer,
            audience: AUDIENCE,
            key: &key,
            email: &email,
            session: text("/session/id")?,
            refresh_token: text("/tokens/refreshToken")?,
            credential: text("/device/credential")?,
            refreshes: REFRESHES,
            pause: PAUSE.as_secs(),
            clock: clock.as_ref().map(FakeClock::file),
        };
        let played = tools.play_oauth(library, &task, clock.as_ref()).await;
        let ClientDone { library, version } = played.with_context(|| format!("{library:?}"))?;
        lines.push(format!(
            "{library} {version}: {REFRESHES} refreshes {time}, each retried; introspection, user info, revocation"
        ));
    }
    instance.stop().await?;
    Ok(lines)
}
