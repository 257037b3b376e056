//! One code of two challenges, on two replicas at once.

use anyhow::{Result, ensure};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use super::person::{Network, Person, Replica};
use crate::attack::{client::Client, findings::Findings};

const AT_ONCE: usize = 4;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct RaceCounts {
    pub(super) races: u64,
    /// Where not exactly one got through, or the other one was told something else than that the code is used.
    pub(super) broken: Findings,
}

/// Plays so many rounds, each by a person of its own: one race of a code of the app, one of a recovery code.
pub(super) async fn play(replicas: &[Replica; 2], rounds: usize) -> Result<RaceCounts> {
    let all = stream::iter(0..rounds).map(|number| round(replicas, number));
    let all = all.buffer_unordered(AT_ONCE);
    let sum = async |mut sum: RaceCounts, broken: Findings| {
        sum.races += 2;
        sum.broken.add(broken);
        Ok(sum)
    };
    all.try_fold(RaceCounts::default(), sum).await
}

async fn round(replicas: &[Replica; 2], number: usize) -> Result<Findings> {
    let (email, home) = (
        format!("race-{number}@example.org"),
        Network::Home.address(1000 + number),
    );
    let mut person = replicas[number % 2].sign_up_with_app(email, home).await?;
    let shown = [
        ("totp", json!(person.app.code()?)),
        ("recoveryCode", json!(person.codes[number % 10])),
    ];
    let mut broken = Findings::default();
    for (won, (member, code)) in shown.iter().enumerate() {
        let raced = race(replicas, &person, (*member, code), 2 + won).await;
        if let Err(error) = raced {
            broken.note(format!("{member} of {}: {error:#}", person.email));
        }
    }
    Ok(broken)
}

/// Sends the code to both replicas; the person has so many sessions then.
async fn race(
    [one, other]: &[Replica; 2],
    person: &Person,
    (member, code): (&str, &Value),
    sessions: usize,
) -> Result<()> {
    let client = Client::at(person.client.address.clone());
    let (first, second) = (
        one.first_step(&client, &person.email).await?,
        other.first_step(&client, &person.email).await?,
    );
    let (first, second) = tokio::join!(
        one.second_step(&first, member, code),
        other.second_step(&second, member, code),
    );
    let mut answers = [first?, second?].map(|answer| (answer.status, answer.code()));
    answers.sort_unstable();
    let refused = |code: &str| match member {
        "totp" => code == "code_used",
        // One that is no longer among them is as unknown as any other.
        _ => matches!(code, "code_used" | "code_wrong"),
    };
    let [won, lost] = &answers;
    ensure!(
        won.0 == 200 && lost.0 == 422 && refused(&lost.1),
        "answered {answers:?}"
    );
    let listed = one.sessions(person).await?;
    ensure!(listed == sessions, "{listed} sessions, and not {sessions}");
    Ok(())
}
