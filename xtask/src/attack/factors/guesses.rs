//! A guesser who has the password: each of its clients signs in from a network and on a device of its own, and tries codes.

use std::{
    future::ready,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use super::{
    app::any_code,
    person::{FirstStep, Network, Person, Replica},
};
use crate::{attack::client::Client, attack::findings::Findings, harness::http::Response};

/// Codes that are tried for a challenge, which takes five.
const TRIES: usize = 6;
/// Fewer than the challenges that an account has at once.
const AT_ONCE: usize = 16;
/// The owner signs in after each part.
const PARTS: usize = 4;
/// `limits.factors_per_account`: so many at once, and a day until there is room for as many again.
const BUDGET: u64 = 10;
const DAY: u64 = 24 * 60 * 60;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GuessCounts {
    pub(super) tries: u64,
    /// Those that were compared with a code.
    pub(super) compared: u64,
    pub(super) hits: u64,
    pub(super) limited: u64,
    /// Those for challenges that take no more.
    pub(super) gone: u64,
    pub(super) others: Findings,
    /// Sign-ins of the owner that came to nothing.
    pub(super) shut_out: Findings,
    pub(super) owner_sign_ins: u64,
    pub(super) foreign_sessions: usize,
    pub(super) lasted: Duration,
}

impl GuessCounts {
    /// The most codes that the limit lets through in this time.
    pub(super) fn most(&self) -> u64 {
        BUDGET + self.lasted.as_secs() * BUDGET / DAY + 1
    }

    fn count(&mut self, answer: &Response) {
        self.tries += 1;
        match (answer.status, answer.code().as_str()) {
            (200, _) => {
                self.compared += 1;
                self.hits += 1;
            }
            (422, "code_wrong" | "code_used") => self.compared += 1,
            (410, "challenge_gone") => self.gone += 1,
            (429, "rate_limited") => self.limited += 1,
            (status, code) => self.others.note(format!("{status} {code}")),
        }
    }

    fn owner(&mut self, signed_in: Result<()>, how: &str) {
        self.owner_sign_ins += 1;
        if let Err(error) = signed_in {
            self.shut_out.note(format!("{how}: {error:#}"));
        }
    }

    fn add(mut self, other: Self) -> Self {
        self.tries += other.tries;
        self.compared += other.compared;
        self.hits += other.hits;
        self.limited += other.limited;
        self.gone += other.gone;
        self.others.add(other.others);
        self
    }
}

/// Makes so many tries against one account. They go to all replicas in turn; the owner comes to the first.
pub(super) async fn attack(replicas: &[Replica], tries: usize) -> Result<GuessCounts> {
    let (home, begun) = (&replicas[0], Instant::now());
    let email = "owner@example.org";
    let mut owner = home
        .sign_up_with_app(email.to_owned(), Network::Home.address(0))
        .await?;
    let set_up = home.passkey_set_up(&mut owner).await?;
    let added = home.finish(&owner, &set_up).await?;
    ensure!(added.is_success(), "no passkey: {}", added.code());
    let mut counts = GuessCounts::default();
    let challenges = tries.div_ceil(TRIES);
    for part in 0..PARTS {
        let numbers = (0..challenges).filter(|number| number % PARTS == part);
        let all = stream::iter(numbers).map(|number| guess(replicas, email, number));
        let all = all.buffer_unordered(AT_ONCE);
        let sum = |sum: GuessCounts, counts| ready(sum.add(counts));
        counts = all.fold(counts, sum).await;
        counts.owner(home.sign_in_at_home(&mut owner).await, "her device");
        let elsewhere = Network::Elsewhere.address(part);
        let signed_in = home.sign_in_by_passkey(&owner, elsewhere).await;
        counts.owner(signed_in, "a new device");
    }
    counts.owner(by_code(home, &mut owner).await, "her device, by code");
    let sessions = home.sessions(&owner).await?;
    counts.foreign_sessions = sessions.saturating_sub(1 + PARTS);
    counts.lasted = begun.elapsed();
    Ok(counts)
}

/// Signs in by the app on the owner's device, where one slip is no matter.
async fn by_code(home: &Replica, owner: &mut Person) -> Result<()> {
    let step = home.first_step(&owner.client, &owner.email).await?;
    let wrong = json!(owner.app.wrong()?);
    let slip = home.second_step(&step, "totp", &wrong).await?;
    ensure!(
        slip.code() == "code_wrong",
        "{} {}",
        slip.status,
        slip.code()
    );
    let code = json!(owner.app.code()?);
    let answer = home.second_step(&step, "totp", &code).await?;
    owner.begin(&step.client, &answer)
}

/// Signs in from a fresh client and tries codes.
async fn guess(replicas: &[Replica], email: &str, number: usize) -> GuessCounts {
    let replica = &replicas[number % replicas.len()];
    let mut counts = GuessCounts::default();
    let client = Client::at(Network::Guesser.address(number));
    let answer = replica.show_password(&client, email).await;
    let step = match answer {
        Ok(answer) if answer.code() == "rate_limited" => {
            // It gets no challenge, and so for each of its codes the same.
            for _ in 0..TRIES {
                counts.count(&answer);
            }
            return counts;
        }
        Ok(answer) => FirstStep::of(&client, &answer),
        Err(error) => Err(error),
    };
    let step = match step {
        Ok(step) => step,
        Err(error) => {
            counts.others.note(format!("{error:#}"));
            return counts;
        }
    };
    for _ in 0..TRIES {
        match replica.second_step(&step, "totp", &json!(any_code())).await {
            Ok(answer) => counts.count(&answer),
            Err(error) => counts.others.note(format!("{error:#}")),
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> Response {
        Response {
            status,
            retry_after: None,
            body: json!({ "code": code }).to_string(),
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let mut counts = GuessCounts::default();
        for (status, code) in [
            (200, ""),
            (422, "code_wrong"),
            (422, "code_used"),
            (410, "challenge_gone"),
            (429, "rate_limited"),
            (503, "unavailable"),
        ] {
            counts.count(&answer(status, code));
        }
        assert_eq!((counts.tries, counts.compared, counts.hits), (6, 3, 1));
        assert_eq!(
            (counts.gone, counts.limited, counts.others.count),
            (1, 1, 1)
        );
    }

    #[test]
    fn the_budget_fills_slowly() {
        let of = |hours| GuessCounts {
            lasted: Duration::from_hours(hours),
            ..GuessCounts::default()
        };
        assert_eq!((of(0).most(), of(24).most()), (11, 21));
    }
}
