//! The story: a sign-up, another service, a lost response, ten tabs, two thieves, a sign-out, a password that is forgotten twice, a help desk.

use std::{collections::BTreeSet, fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{
    device::{DeviceClient, expect, line},
    help_desk,
    mailbox::Mailbox,
    output::{self, granted, heading, plain, refused, short},
    pages,
    setup::{EMAIL, RETRY_FREE, TourSetup},
};

const PASSWORD: &str = "correct horse battery";
const NEW_PASSWORD: &str = "a password that she remembers";
/// Refreshes at once, as from tabs that wake up together.
const TABS: usize = 10;
/// The other service refuses the ID token this soon after a sign-out.
const SOON: Duration = Duration::from_secs(5);

pub(super) async fn play(setup: &TourSetup) -> Result<()> {
    heading(
        1,
        "A fresh server: one process, one SQLite file, keys of its own",
    );
    granted(&format!("listening on {}", setup.issuer));
    let mut laptop = sign_up(setup).await?;
    verify(setup, &laptop).await?;
    lost_response(&mut laptop).await?;
    tabs(&mut laptop).await?;
    stolen_from_a_bound_session(&mut laptop).await?;
    stolen_from_a_plain_session(setup, &laptop).await?;
    sign_out(setup, &laptop).await?;
    let mut mailbox = setup.mailbox();
    forgotten(setup, &mut laptop, &mut mailbox).await?;
    pages::forgotten_again(setup, &mut laptop, &mut mailbox).await?;
    help_desk::called(setup, &mut laptop).await?;
    heading(12, "The security events in the service's log");
    for line in events(setup)? {
        output::log(&line);
    }
    println!();
    Ok(())
}

async fn sign_up(setup: &TourSetup) -> Result<DeviceClient> {
    heading(2, "Ann signs up on her laptop");
    let mut laptop = setup.device()?;
    let response = laptop.sign_up(EMAIL, PASSWORD).await?;
    plain(&format!(
        "POST /api/account/signup {{\"email\":\"{EMAIL}\",…}}"
    ));
    granted(&format!(
        "{}, session {}",
        line(&response),
        response.text("/session/id")?
    ));
    granted(&format!(
        "ID token {}, refresh token {}",
        short(&laptop.id_token),
        short(&laptop.refresh_token)
    ));
    Ok(laptop)
}

async fn verify(setup: &TourSetup, laptop: &DeviceClient) -> Result<()> {
    heading(3, "Another service verifies her ID token by public key");
    plain(&format!("GET {}", setup.hello));
    let response = laptop.greet(&setup.hello).await?;
    ensure!(
        response.status == 200 && response.body.contains(EMAIL),
        "the relying service answers {} {}",
        response.status,
        response.body
    );
    granted(&format!("{} {}", response.status, response.body));
    Ok(())
}

async fn lost_response(laptop: &mut DeviceClient) -> Result<()> {
    heading(4, "She refreshes, and the response is lost on its way");
    let token = laptop.refresh_token.clone();
    let lost = expect(laptop.present(&token, true).await?, 200, "")?;
    let lost = lost.text("/tokens/refreshToken")?;
    plain(&format!(
        "{} becomes {}, but her laptop does not receive it",
        short(&token),
        short(&lost)
    ));
    let again = laptop.refresh(true).await?.text("/tokens/refreshToken")?;
    ensure!(lost == again, "the retry got another successor");
    granted(&format!(
        "the retry gets {}: the same successor, byte for byte",
        short(&again)
    ));
    Ok(())
}

async fn tabs(laptop: &mut DeviceClient) -> Result<()> {
    heading(5, "Her tabs wake up together");
    let token = laptop.refresh_token.clone();
    let responses = try_join_all((0..TABS).map(|_| laptop.present(&token, true))).await?;
    let mut successors = BTreeSet::new();
    for response in responses {
        successors.insert(expect(response, 200, "")?.text("/tokens/refreshToken")?);
    }
    ensure!(successors.len() == 1, "{} successors", successors.len());
    laptop.refresh_token = successors.pop_first().context("no successor")?;
    granted(&format!(
        "{TABS} refreshes at once, {TABS} responses, one successor: {}",
        short(&laptop.refresh_token)
    ));
    Ok(())
}

async fn stolen_from_a_bound_session(laptop: &mut DeviceClient) -> Result<()> {
    heading(6, "A thief copies her newest refresh token");
    let thief = laptop.present(&laptop.refresh_token, false).await?;
    let thief = expect(thief, 401, "device_mismatch")?;
    plain("her session is bound to her laptop, which has shown its device credential");
    refused(&format!("thief: {}", line(&thief)));
    laptop.refresh(true).await?;
    granted("Ann: 200, she notices nothing");
    Ok(())
}

async fn stolen_from_a_plain_session(setup: &TourSetup, laptop: &DeviceClient) -> Result<()> {
    heading(
        7,
        "A thief copies a token of her phone, whose app does not use device credentials",
    );
    let mut phone = setup.device()?;
    phone.sign_in(EMAIL, PASSWORD, "Phone").await?;
    let stolen = phone.refresh_token.clone();
    phone.refresh(false).await?;
    phone.refresh(false).await?;
    plain("the phone refreshes twice; the thief presents the old token at once, and again later");
    let thief = expect(phone.present(&stolen, false).await?, 401, "token_stale")?;
    refused(&format!("thief: {}; it could be a slow tab", line(&thief)));
    sleep(RETRY_FREE + Duration::from_millis(100)).await;
    let thief = expect(phone.present(&stolen, false).await?, 401, "token_reused")?;
    refused(&format!(
        "thief: {}; no tab is that slow (10 s by default, {} s in this tour)",
        line(&thief),
        RETRY_FREE.as_secs()
    ));
    let owner = phone.present(&phone.refresh_token, false).await?;
    let owner = expect(owner, 401, "token_reused")?;
    refused(&format!(
        "phone: {}; this session is over, and Ann is told why",
        line(&owner)
    ));
    let listed = expect(laptop.sessions().await?, 200, "")?.json()?;
    let live = listed["sessions"].as_array().map_or(0, Vec::len);
    ensure!(live == 1, "{live} sessions live");
    granted("her laptop's session lives");
    Ok(())
}

async fn sign_out(setup: &TourSetup, laptop: &DeviceClient) -> Result<()> {
    heading(8, "She signs out");
    let response = expect(laptop.sign_out().await?, 204, "")?;
    let begun = Instant::now();
    plain(&format!("POST /api/account/signout: {}", line(&response)));
    let response = laptop.present(&laptop.refresh_token, true).await?;
    let response = expect(response, 401, "session_revoked")?;
    refused(&format!("her refresh token: {}", line(&response)));
    loop {
        let status = laptop.greet(&setup.hello).await?.status;
        if status == 401 {
            break;
        }
        ensure!(
            begun.elapsed() < SOON,
            "the relying service still answers {status}"
        );
        sleep(Duration::from_millis(5)).await;
    }
    refused(&format!(
        "her ID token, which has minutes to live, at the other service: 401 after {} ms, by the revocation feed",
        begun.elapsed().as_millis()
    ));
    Ok(())
}

async fn forgotten(
    setup: &TourSetup,
    laptop: &mut DeviceClient,
    mailbox: &mut Mailbox,
) -> Result<()> {
    heading(9, "She has forgotten her password");
    let response = laptop.forgot(EMAIL).await?;
    let proof = response.text("/proof/id")?;
    plain(&format!(
        "POST /api/account/recovery {{\"email\":\"{EMAIL}\"}}: {}, and a mail with a code",
        line(&response)
    ));
    let mail = mailbox.next("reset_password").await?;
    let code = mail.code().context("the mail has no code")?;
    let guess = if code == "123456" { "654321" } else { "123456" };
    let guess = laptop.recover(&proof, guess, NEW_PASSWORD).await?;
    let guess = expect(guess, 422, "code_wrong")?;
    refused(&format!(
        "a guesser: {}; four more can be tried",
        line(&guess)
    ));
    let begun = laptop.recover(&proof, &code, NEW_PASSWORD).await?;
    let begun = laptop.begin(expect(begun, 200, "")?)?;
    granted(&format!(
        "{} with the code of the mail: a new password, and a session on her laptop",
        line(&begun)
    ));
    let old = setup.device()?.try_sign_in(EMAIL, PASSWORD).await?;
    let old = expect(old, 401, "invalid_credentials")?;
    refused(&format!("the old password: {}", line(&old)));
    Ok(())
}

/// The security events in the log without their times; repeated ones once.
fn events(setup: &TourSetup) -> Result<Vec<String>> {
    let log =
        fs::read_to_string(setup.instance.home().join("log")).context("the service has no log")?;
    let mut events: Vec<(&str, &str, usize)> = Vec::new();
    for line in log
        .lines()
        .filter_map(|line| line.split_once(" revolve::security: "))
        .map(|(_, line)| line)
    {
        let name = line.split(' ').next().unwrap_or_default();
        match events.last_mut() {
            Some((last, _, times)) if *last == name => *times += 1,
            _ => events.push((name, line, 1)),
        }
    }
    ensure!(
        events
            .iter()
            .any(|(name, ..)| name.contains("session.reused")),
        "the theft is not in the log"
    );
    Ok(events
        .iter()
        .map(|(_, line, times)| match times {
            1 => (*line).to_owned(),
            _ => format!("{line}  ({times} times)"),
        })
        .collect())
}
