//! A help desk: it finds Ann by her address, sees her devices, signs her out, and hands her a link. As docs/operators.md says.

use anyhow::{Context as _, Result, ensure};

use super::{
    device::{DeviceClient, expect, line},
    output::{granted, heading, plain, refused},
    setup::{EMAIL, TourSetup},
};
use crate::harness::admin::AdminApi;

const CHOSEN: &str = "chosen at the help desk";
/// What the key of the help desk may do.
const SCOPES: &str = "users:read,users:write,sessions:write,events:read";

pub(super) async fn called(setup: &TourSetup, laptop: &mut DeviceClient) -> Result<()> {
    heading(
        11,
        "She has lost her laptop, and with it password and mailbox: she calls the help desk",
    );
    let desk = AdminApi::of(&setup.instance, SCOPES).await?;
    plain(&format!("its key, by revolve api-keys create: {SCOPES}"));
    let other = expect(desk.call("GET", "/deliveries").await?, 403, "scope_missing")?;
    refused(&format!(
        "mails, which are not its business: {}",
        line(&other)
    ));

    let found = desk.call("GET", "/users?email=ANN%40example.org").await?;
    let found = expect(found, 200, "")?;
    let user = format!("/users/{}", found.text("/users/0/uid")?);
    granted(&format!("GET /api/admin{user}: {EMAIL}, found by address"));
    let sessions = desk
        .call("GET", &format!("{user}/sessions?live=true"))
        .await?;
    let sessions = expect(sessions, 200, "")?.json()?;
    let sessions = sessions["sessions"].as_array().context("a list")?;
    let devices: Vec<_> = sessions
        .iter()
        .filter_map(|session| session["deviceName"].as_str())
        .collect();
    ensure!(devices == ["Laptop"], "her devices are {devices:?}");
    granted(&format!("her devices: {}", devices.join(", ")));

    let out = desk.call("POST", &format!("{user}/sign-out")).await?;
    let out = expect(out, 204, "")?;
    granted(&format!("POST …/sign-out: {}", line(&out)));
    let finder = laptop.present(&laptop.refresh_token, true).await?;
    let finder = expect(finder, 401, "session_revoked")?;
    refused(&format!("whoever has the laptop: {}", line(&finder)));

    let made = desk.call("POST", &format!("{user}/recovery-link")).await?;
    let link = expect(made, 201, "")?.text("/link")?;
    plain("POST …/recovery-link: a link that counts once, which she is read or sent");
    let mut browser = setup.browser()?;
    let page = browser.open(&link).await?;
    ensure!(
        page.html.contains("Choose your password") && !page.asks("code"),
        "the link leads to another page"
    );
    let done = browser
        .carried_out(&page, &[("newPassword", CHOSEN)])
        .await?;
    ensure!(
        done.html.contains("Your password is set"),
        "the page does not say that it is done"
    );
    let begun = setup.device()?.sign_in(EMAIL, CHOSEN, "Tablet").await?;
    granted(&format!(
        "she chooses a password in any browser, and signs in: {}",
        line(&begun)
    ));

    let name = "recovery_link.issued";
    let told = desk
        .call(
            "GET",
            &format!("/events?user={}&name={name}", found.text("/users/0/uid")?),
        )
        .await?;
    let told = expect(told, 200, "")?;
    ensure!(
        told.text("/entries/0/actor")? == "key",
        "the journal does not name the key"
    );
    granted(&format!(
        "the journal has {name}, and by which key: {}",
        told.text("/entries/0/apiKey")?
    ));
    Ok(())
}
