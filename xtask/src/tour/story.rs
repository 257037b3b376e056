//! The story: a sign-up, another service, a lost answer, two tabs, two thieves, a sign-out.

use std::{collections::BTreeSet, fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep};

use super::{
    RETRY_FREE, Stage,
    client::Client,
    output::{self, short},
};

const EMAIL: &str = "ann@example.org";
const PASSWORD: &str = "correct horse battery";
/// Requests at once, as tabs that wake up together send them.
const TABS: usize = 10;
/// A sign-out must count at the other service within this.
const SOON: Duration = Duration::from_secs(5);

pub(super) async fn play(stage: &mut Stage) -> Result<()> {
    output::scene(
        1,
        "A fresh server: one process, one SQLite file, keys of its own",
    );
    output::good(&format!("listening on {}", stage.issuer));
    let mut laptop = sign_up(stage).await?;
    verify(stage, &laptop).await?;
    lost_answer(&mut laptop).await?;
    tabs(&mut laptop).await?;
    stolen_from_a_device(&mut laptop).await?;
    stolen_from_a_plain_client(stage, &laptop).await?;
    sign_out(stage, &laptop).await?;
    output::scene(9, "What the service has written about it");
    for line in events(stage)? {
        output::log(&line);
    }
    println!();
    Ok(())
}

async fn sign_up(stage: &Stage) -> Result<Client> {
    output::scene(2, "Ann signs up on her laptop");
    let mut laptop = stage.client()?;
    let answer = laptop.sign_up(EMAIL, PASSWORD).await?;
    output::does(&format!(
        "POST /api/account/signup {{\"email\":\"{EMAIL}\",…}}"
    ));
    output::good(&format!(
        "{}, session {}",
        answer.line(),
        answer.text("/session/id")?
    ));
    output::good(&format!(
        "ID token {}, refresh token {}",
        short(&laptop.id_token),
        short(&laptop.refresh_token)
    ));
    Ok(laptop)
}

async fn verify(stage: &Stage, laptop: &Client) -> Result<()> {
    output::scene(3, "Another service verifies her ID token, by public key");
    output::does(&format!("GET {}", stage.hello));
    let (status, said) = laptop.greet(&stage.hello).await?;
    ensure!(
        status == 200 && said.contains(EMAIL),
        "the relying service answers {status} {said}"
    );
    output::good(&format!("{status} {said}"));
    Ok(())
}

async fn lost_answer(laptop: &mut Client) -> Result<()> {
    output::scene(4, "She refreshes, and the answer is lost on its way");
    let token = laptop.refresh_token.clone();
    let lost = laptop.present(&token, true).await?.expect(200, "")?;
    output::does(&format!(
        "{} becomes {}, but nobody hears of it",
        short(&token),
        short(lost.text("/tokens/refreshToken")?)
    ));
    let again = laptop.refresh(true).await?;
    let (one, other) = (
        lost.text("/tokens/refreshToken")?,
        again.text("/tokens/refreshToken")?,
    );
    ensure!(one == other, "the retry got another successor");
    output::good(&format!(
        "the same again gets {}: the same successor, byte for byte",
        short(other)
    ));
    Ok(())
}

async fn tabs(laptop: &mut Client) -> Result<()> {
    output::scene(5, "Her tabs wake up together");
    let token = laptop.refresh_token.clone();
    let answers = try_join_all((0..TABS).map(|_| laptop.present(&token, true))).await?;
    let mut successors = BTreeSet::new();
    for answer in answers {
        successors.insert(
            answer
                .expect(200, "")?
                .text("/tokens/refreshToken")?
                .to_owned(),
        );
    }
    ensure!(successors.len() == 1, "{} successors", successors.len());
    laptop.refresh_token = successors.pop_first().context("no successor")?;
    output::good(&format!(
        "{TABS} refreshes at once, {TABS} answers, one successor: {}",
        short(&laptop.refresh_token)
    ));
    Ok(())
}

async fn stolen_from_a_device(laptop: &mut Client) -> Result<()> {
    output::scene(6, "A thief copies her newest refresh token");
    let refused = laptop
        .present(&laptop.refresh_token, false)
        .await?
        .expect(401, "device_mismatch")?;
    output::does("her session is bound to her laptop: it has shown its device credential");
    output::refused(&format!("thief: {}", refused.line()));
    laptop.refresh(true).await?;
    output::good("Ann: 200, she notices nothing");
    Ok(())
}

async fn stolen_from_a_plain_client(stage: &Stage, laptop: &Client) -> Result<()> {
    output::scene(
        7,
        "A thief copies a token of her phone, whose app knows nothing of devices",
    );
    let mut phone = stage.client()?;
    phone.sign_in(EMAIL, PASSWORD).await?;
    let stolen = phone.refresh_token.clone();
    phone.refresh(false).await?;
    phone.refresh(false).await?;
    output::does(
        "the phone refreshes twice; the thief comes with the old token, at once and once more later",
    );
    let thief = phone
        .present(&stolen, false)
        .await?
        .expect(401, "token_stale")?;
    output::refused(&format!("thief: {}; it could be a slow tab", thief.line()));
    sleep(RETRY_FREE + Duration::from_millis(100)).await;
    let thief = phone
        .present(&stolen, false)
        .await?
        .expect(401, "token_reused")?;
    output::refused(&format!(
        "thief: {}; no tab is that slow (10 s by default, {} s in this tour)",
        thief.line(),
        RETRY_FREE.as_secs()
    ));
    let owner = phone
        .present(&phone.refresh_token, false)
        .await?
        .expect(401, "token_reused")?;
    output::refused(&format!(
        "phone: {}; this session is over, and Ann is told why",
        owner.line()
    ));
    let listed = laptop.sessions().await?.expect(200, "")?;
    let live = listed.body["sessions"].as_array().map_or(0, Vec::len);
    ensure!(live == 1, "{live} sessions live");
    output::good("her laptop's session lives");
    Ok(())
}

async fn sign_out(stage: &Stage, laptop: &Client) -> Result<()> {
    output::scene(8, "She signs out");
    let answer = laptop.sign_out().await?.expect(204, "")?;
    let begun = Instant::now();
    output::does(&format!("POST /api/account/signout: {}", answer.line()));
    let refused = laptop
        .present(&laptop.refresh_token, true)
        .await?
        .expect(401, "session_revoked")?;
    output::refused(&format!("her refresh token: {}", refused.line()));
    loop {
        let (status, _) = laptop.greet(&stage.hello).await?;
        if status == 401 {
            break;
        }
        ensure!(
            begun.elapsed() < SOON,
            "the relying service still answers {status}"
        );
        sleep(Duration::from_millis(5)).await;
    }
    let after = begun.elapsed().as_millis();
    output::refused(&format!(
        "her ID token, which has minutes to live, at the other service: 401 after {after} ms, by the revocation feed"
    ));
    Ok(())
}

/// The security events in the log, without their times; of those that repeat only the first.
fn events(stage: &Stage) -> Result<Vec<String>> {
    let log =
        fs::read_to_string(stage.instance.home().join("log")).context("the service has no log")?;
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
    let times = |times| {
        if times > 1 {
            format!("  ({times} times)")
        } else {
            String::new()
        }
    };
    Ok(events
        .iter()
        .map(|(_, line, count)| format!("{line}{}", times(*count)))
        .collect())
}
