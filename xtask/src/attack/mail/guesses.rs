//! A guesser of codes, who asks for recoveries of many accounts and tries codes for each, from as many networks as it takes. Some send the cookie
//! of who asked, whose tries no limit counts; the others share networks, as the machines of a guesser do.

use std::{collections::BTreeSet, future::ready};

use anyhow::{Result, bail};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use super::{
    mailroom::UNWATCHED,
    people::{Client, NEW_PASSWORD, Network, World, api, proof_cookie},
};
use crate::attack::{
    findings::Findings,
    imported::{self, HashCost, Standing},
};

/// Tries that a proof takes.
const ATTEMPTS: usize = 5;
/// Tries for each proof.
const TRIES: usize = ATTEMPTS + 1;
/// Mails that `limits.proofs_per_account` grants an account at once.
const MAILS: usize = 5;
/// Accounts that are guessed from one network.
const NEIGHBOURS: usize = 4;
/// Accounts that are guessed at once.
const AT_ONCE: usize = 32;
const CODES: u32 = 1_000_000;

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GuessOutcome {
    /// The code was right.
    Hit,
    /// It was compared, and is another one.
    Wrong,
    /// The proof takes no more tries.
    Gone,
    /// A limit was reached.
    Limited,
    Other,
}

impl GuessOutcome {
    fn of(status: u16, code: &str) -> Self {
        match (status, code) {
            (200, _) => Self::Hit,
            (422, "code_wrong") => Self::Wrong,
            (410, "proof_gone") => Self::Gone,
            (429, _) => Self::Limited,
            _ => Self::Other,
        }
    }

    fn is_compared(self) -> bool {
        matches!(self, Self::Hit | Self::Wrong)
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct GuessCounts {
    pub(super) tries: u64,
    pub(super) hits: u64,
    /// Tries that were compared with the code, hits included.
    pub(super) compared: u64,
    /// Those of them beyond what a proof takes.
    pub(super) beyond: u64,
    pub(super) gone: u64,
    pub(super) limited: u64,
    pub(super) others: Findings,
    /// Mails that were asked for and refused.
    pub(super) refused_mails: u64,
    /// The proofs that were guessed at.
    pub(super) proofs: BTreeSet<String>,
}

impl GuessCounts {
    /// Hits to be expected of as many fair guesses.
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    pub(super) fn expected_hits(&self) -> f64 {
        self.compared as f64 / f64::from(CODES)
    }

    /// Counts the tries for one proof.
    fn count(&mut self, outcomes: &[GuessOutcome]) {
        let of = |wanted: GuessOutcome| {
            let found = outcomes.iter().filter(|outcome| **outcome == wanted);
            count(found.count())
        };
        let compared = outcomes.iter().filter(|outcome| outcome.is_compared());
        let compared = compared.count();
        self.tries += count(outcomes.len());
        self.hits += of(GuessOutcome::Hit);
        self.compared += count(compared);
        self.beyond += count(compared.saturating_sub(ATTEMPTS));
        self.gone += of(GuessOutcome::Gone);
        self.limited += of(GuessOutcome::Limited);
    }

    fn add(mut self, mut other: Self) -> Self {
        self.tries += other.tries;
        self.hits += other.hits;
        self.compared += other.compared;
        self.beyond += other.beyond;
        self.gone += other.gone;
        self.limited += other.limited;
        self.others.add(other.others);
        self.refused_mails += other.refused_mails;
        self.proofs.append(&mut other.proofs);
        self
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// How many accounts so many tries take.
fn accounts(tries: usize) -> usize {
    tries.div_ceil(MAILS * TRIES)
}

/// Many domains, so that the mails of one do not wait for each other.
fn email(account: usize) -> String {
    format!("{UNWATCHED}{account}@host-{}.example.org", account % 64)
}

/// The accounts, as `revolve user import` reads them.
pub(super) fn rows(tries: usize) -> Result<String> {
    let row = |n| imported::row(&email(n), HashCost::LEAST, Standing::Unverified);
    let rows = (0..accounts(tries)).map(row);
    rows.collect()
}

/// Makes so many tries.
pub(super) async fn attack(world: &World, tries: usize) -> Result<GuessCounts> {
    let all = stream::iter(0..accounts(tries)).map(|account| guess(world, account));
    let sum = |sum: GuessCounts, counts| ready(Ok(sum.add(counts)));
    let all = all.buffer_unordered(AT_ONCE);
    all.try_fold(GuessCounts::default(), sum).await
}

/// Asks for recoveries of an account until that is refused, and tries codes for each.
async fn guess(world: &World, account: usize) -> Result<GuessCounts> {
    let group = account / NEIGHBOURS;
    let mut client = Client::at(Network::Guesser.address(group));
    let keeps_cookie = group.is_multiple_of(2);
    let mut counts = GuessCounts::default();
    for _ in 0..=MAILS {
        let body = json!({ "email": email(account) });
        client.cookie = None;
        let request = client.request("POST", &api(&world.required, "/recovery"), Some(&body))?;
        let (headers, answer) = world.http.send_for_headers(&request).await?;
        match answer.status {
            202 => {}
            429 => {
                counts.refused_mails += 1;
                continue;
            }
            other => bail!("a recovery was answered {other} {}", answer.code()),
        }
        let proof = answer.text("/proof/id")?;
        client.cookie = proof_cookie(&headers).filter(|_| keeps_cookie);
        let outcomes = try_codes(world, &client, &proof, &mut counts.others).await?;
        counts.count(&outcomes);
        counts.proofs.insert(proof);
    }
    Ok(counts)
}

/// No code is tried twice for a proof.
async fn try_codes(
    world: &World,
    client: &Client,
    proof: &str,
    others: &mut Findings,
) -> Result<Vec<GuessOutcome>> {
    let first = fastrand::u32(..CODES);
    let mut outcomes = Vec::with_capacity(TRIES);
    for next in (0..CODES).take(TRIES) {
        let code = format!("{:06}", (first + next) % CODES);
        let body = json!({ "proof": proof, "code": code, "newPassword": NEW_PASSWORD });
        let to = api(&world.required, "/recovery/confirm");
        let request = client.request("POST", &to, Some(&body))?;
        let answer = world.http.send(&request).await?;
        let outcome = GuessOutcome::of(answer.status, &answer.code());
        if outcome == GuessOutcome::Other {
            others.note(format!("{} {}", answer.status, answer.code()));
        }
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use GuessOutcome::{Gone, Hit, Limited, Other, Wrong};

    #[test]
    fn answers_are_told_apart() {
        for (status, code, outcome) in [
            (200, "", Hit),
            (422, "code_wrong", Wrong),
            (422, "code_required", Other),
            (410, "proof_gone", Gone),
            (429, "rate_limited", Limited),
            (503, "unavailable", Other),
        ] {
            assert_eq!(GuessOutcome::of(status, code), outcome, "{status} {code}");
        }
    }

    #[test]
    fn what_was_compared_beyond_five_tries_of_a_proof_is_counted() {
        let mut counts = GuessCounts::default();
        counts.count(&[Wrong, Wrong, Wrong, Wrong, Wrong, Gone]);
        assert_eq!((counts.compared, counts.beyond, counts.gone), (5, 0, 1));
        counts.count(&[Wrong, Wrong, Wrong, Wrong, Wrong, Hit]);
        assert_eq!((counts.compared, counts.beyond, counts.hits), (11, 1, 1));
        counts.count(&[Limited, Wrong, Limited]);
        assert_eq!((counts.tries, counts.limited), (15, 2));
        assert!((counts.expected_hits() - 12e-6).abs() < 1e-12);
    }

    #[test]
    fn there_are_accounts_for_every_try() {
        for tries in [1, 30, 31, 100_000] {
            let most = accounts(tries) * MAILS * TRIES;
            assert!((tries..tries + MAILS * TRIES).contains(&most), "{tries}");
        }
    }
}
