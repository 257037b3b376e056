//! Ann forgets her password again, and has nothing but a browser: the page that the mail's link leads to.

use anyhow::{Context as _, Result, ensure};

use super::{
    device::{DeviceClient, expect, line},
    mailbox::Mailbox,
    output::{granted, heading, plain, refused},
    setup::{EMAIL, TourSetup},
};

const TYPED: &str = "what she types into the page";

pub(super) async fn forgotten_again(
    setup: &TourSetup,
    laptop: &mut DeviceClient,
    mailbox: &mut Mailbox,
) -> Result<()> {
    heading(
        10,
        "She has forgotten that one, too, and follows the link of the mail",
    );
    let mut browser = setup.browser()?;
    browser.forgot(EMAIL).await?;
    let mail = mailbox.next("reset_password").await?;
    let link = mail.link().context("the mail has no link")?;
    let path = link
        .strip_prefix(&setup.issuer)
        .context("it leads elsewhere")?;
    let path = path.split('?').next().unwrap_or_default();
    ensure!(path == "/account/recovery", "the link leads to {path}");

    let mut scanner = setup.browser()?;
    let opened = scanner.open(&link).await?;
    let asked = scanner.refused(&opened, &[("newPassword", TYPED)]).await?;
    ensure!(asked.asks("code"), "the page asks for no code");
    refused(&format!(
        "a scanner of mails opens {path} and sends its form: 422, enter the code; nothing is spent"
    ));

    let page = browser.open(&link).await?;
    ensure!(
        page.asks("newPassword") && !page.asks("code"),
        "the page asks for something else than a password"
    );
    let done = browser
        .carried_out(&page, &[("newPassword", TYPED)])
        .await?;
    ensure!(
        done.html.contains("Your password is changed"),
        "the page does not say that it is done"
    );
    granted("her browser, which asked for the mail: she types a new password, and no code");
    plain("no page has a token in it: her browser is signed in by a cookie that no script reads");
    let old = laptop.present(&laptop.refresh_token, true).await?;
    let old = expect(old, 401, "session_revoked")?;
    refused(&format!("her laptop's session: {}", line(&old)));
    let begun = laptop.sign_in(EMAIL, TYPED, "Laptop").await?;
    granted(&format!("she signs in on her laptop: {}", line(&begun)));
    Ok(())
}
