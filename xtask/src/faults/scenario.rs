//! Many people at once, over replicas that may move, while something goes wrong.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;
use futures_util::future::try_join_all;
use tokio::time::sleep;

use super::{
    claims::Losses,
    client_ledger::Person,
    fault_window::Span,
    findings::Verdict,
    rounds::{Round, note},
    stall_monitor::Pulse,
};
use crate::harness::{
    api::{Api, Reply},
    client::Client,
    http::HttpClient,
    journal::Journal,
    profile::{Account, Answer, Profile},
};

/// How many live in a town.
const PEOPLE: usize = 6;
/// A fault comes after so long at most.
const BEFORE: u64 = 250;
/// People go on for so long after a fault.
const AFTER: Duration = Duration::from_millis(150);
/// What `http.request_timeout` is by default, and a second.
const DEADLINE: Duration = Duration::from_secs(11);
/// A service that does not recover within this is given up.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks whether something has happened.
const LOOK: Duration = Duration::from_millis(10);

/// Where the service is, and what is known about the weather.
pub(super) struct Town {
    http: HttpClient,
    profile: Arc<Profile>,
    urls: Mutex<Vec<String>>,
    losses: Mutex<Losses>,
    verdict: Mutex<Verdict>,
    nonce: String,
    pulse: Arc<Pulse>,
    born: AtomicU32,
    stop: AtomicBool,
    fault: Mutex<Span>,
    /// Whether every request must be answered, even while the fault lasts.
    answers: AtomicBool,
    /// Whether people sign out, change passwords and use ID tokens, too.
    whole: AtomicBool,
}

impl Town {
    pub(super) fn new(nonce: String, pulse: Arc<Pulse>) -> Result<Self> {
        Ok(Self {
            http: HttpClient::new()?,
            profile: Arc::new(Profile::load(None)?),
            urls: Mutex::default(),
            losses: Mutex::default(),
            verdict: Mutex::default(),
            nonce,
            pulse,
            born: AtomicU32::new(0),
            stop: AtomicBool::new(false),
            fault: Mutex::default(),
            answers: AtomicBool::new(false),
            whole: AtomicBool::new(true),
        })
    }

    /// Whoever lives here; some with their devices, some without.
    pub(super) fn people(&self) -> Vec<Person> {
        (0..PEOPLE)
            .map(|number| Person::new(self.name(), number % 2 == 0))
            .collect()
    }

    fn name(&self) -> String {
        format!(
            "faults-{}-{}@example.org",
            self.nonce,
            self.born.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// For how long the machine stood still so far; no bound of time is the service's to keep then.
    pub(super) fn stalled(&self) -> Duration {
        self.pulse.stalled()
    }

    /// Where the replicas are.
    pub(super) fn at(&self, urls: &[&str]) {
        *lock(&self.urls) = urls.iter().map(|url| (*url).to_owned()).collect();
    }

    /// Every request must be answered from now on, whatever happens.
    pub(super) fn demand_answers(&self) {
        self.answers.store(true, Ordering::Relaxed);
    }

    /// People only sign up, sign in and refresh.
    pub(super) fn refresh_only(&self) {
        self.whole.store(false, Ordering::Relaxed);
    }

    pub(super) fn whole_life(&self) -> bool {
        self.whole.load(Ordering::Relaxed)
    }

    /// What the white list loses by this fault.
    pub(super) fn lose(&self, losses: Losses) {
        *lock(&self.losses) = losses;
    }

    pub(super) fn losses(&self) -> Losses {
        *lock(&self.losses)
    }

    /// Requests that are under way from now on are timed, until the other one and beyond it.
    pub(super) fn fault_begins(&self) {
        lock(&self.fault).begin(Instant::now());
    }

    pub(super) fn fault_ends(&self) {
        lock(&self.fault).end(Instant::now());
    }

    /// Waits until somebody was answered 503 by the fault; not longer than so long.
    pub(super) async fn felt(&self, at_most: Duration) {
        let begun = Instant::now();
        while self.note(|verdict| verdict.refusals()) == 0 && begun.elapsed() < at_most {
            sleep(LOOK).await;
        }
    }

    pub(super) fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Notes an answer.
    pub(super) fn saw(&self, reply: Reply) -> Reply {
        let took = reply.received.duration_since(reply.sent);
        if let Answer::Silence(why) = &reply.answer {
            if self.answers.load(Ordering::Relaxed) {
                self.violate(&format!("no answer after {} ms ({why})", took.as_millis()));
            }
        } else if took > DEADLINE {
            self.violate(&format!(
                "an answer after {} ms, past the request's deadline",
                took.as_millis()
            ));
        }
        if lock(&self.fault).meets(reply.sent, reply.received) {
            match reply.answer {
                Answer::Unavailable => {
                    self.note(|verdict| verdict.refused(took));
                    self.check("503 while the fault lasted");
                }
                Answer::Silence(_) => {}
                _ => self.note(|verdict| verdict.answered(took)),
            }
        }
        reply
    }

    pub(super) fn check(&self, what: &'static str) {
        self.note(|verdict| verdict.check(what));
    }

    pub(super) fn violate(&self, why: &str) {
        self.note(|verdict| verdict.violate(why));
    }

    fn note<T>(&self, write: impl FnOnce(&mut Verdict) -> T) -> T {
        note(&self.verdict, write)
    }

    /// Any replica.
    pub(super) fn any(&self, rng: &mut Rng, journal: &Journal) -> Api {
        let urls = lock(&self.urls);
        self.api(&urls[rng.usize(..urls.len())], journal)
    }

    /// A replica.
    pub(super) fn api(&self, base: &str, journal: &Journal) -> Api {
        Api {
            http: self.http.clone(),
            profile: Arc::clone(&self.profile),
            base: base.to_owned(),
            journal: journal.clone(),
        }
    }

    /// For what is no part of the API.
    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Somebody new at a replica, who must get in at once.
    pub(super) async fn newcomer(&self, base: &str) -> Result<(Account, Client)> {
        let api = self.api(base, &Journal::new());
        let account = Account {
            user: self.name(),
            password: "correct horse battery".to_owned(),
        };
        let reply = api.sign_up(&account).await?;
        let client = Client::from_reply(&api, &reply, false)?;
        Ok((account, client))
    }

    /// A round: people live, something happens at a random moment, they live on, and then everything acknowledged must be true.
    pub(super) async fn endure<T>(
        &self,
        people: &mut [Person],
        round: &mut Round,
        fault: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        for person in people.iter_mut() {
            round.keep(person.new_journal());
        }
        self.stop.store(false, Ordering::Relaxed);
        *lock(&self.fault) = Span::default();
        let before = Duration::from_micros(round.rng.u64(20_000..=BEFORE * 1000));
        let lives = try_join_all(
            people
                .iter_mut()
                .map(|person| person.live(self, round.rng.fork()))
                .collect::<Vec<_>>(),
        );
        let happens = async {
            sleep(before).await;
            let outcome = fault.await;
            self.fault_ends();
            sleep(AFTER).await;
            self.stop.store(true, Ordering::Relaxed);
            outcome
        };
        let (lived, outcome) = tokio::join!(lives, happens);
        let settled = async {
            lived?;
            let outcome = outcome?;
            try_join_all(
                people
                    .iter_mut()
                    .map(|person| person.settle(self, round.rng.fork()))
                    .collect::<Vec<_>>(),
            )
            .await?;
            Ok(outcome)
        };
        let settled = settled.await;
        self.lose(Losses::None);
        // Also if it breaks off here.
        let verdict = self.note(std::mem::take);
        round.note(|total| total.merge(verdict));
        settled
    }

    /// Waits until somebody can sign up and refresh at every replica, and notes how long it took.
    pub(super) async fn recover(&self) -> Result<()> {
        let (begun, stalled) = (Instant::now(), self.stalled());
        let urls = lock(&self.urls).clone();
        for url in urls {
            loop {
                let served = async {
                    let (_, client) = self.newcomer(&url).await?;
                    client
                        .refresh()
                        .await?
                        .grant()
                        .map(drop)
                        .context("a refresh is refused")
                };
                match served.await {
                    Ok(()) => break,
                    Err(error) if begun.elapsed() > PATIENCE => {
                        bail!("the service does not recover: {error:#}")
                    }
                    Err(_) => sleep(LOOK).await,
                }
            }
        }
        let took = begun
            .elapsed()
            .saturating_sub(self.stalled().saturating_sub(stalled));
        self.note(|verdict| verdict.recovered(took));
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hung_until_the_fault_was_over_is_timed_though_it_was_answered_later_and_well() {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(
            "test".to_owned(),
            Arc::new(Pulse::start(folder.path()).unwrap()),
        )
        .unwrap();
        let sent = Instant::now();
        let reply = |sent, after, answer| Reply {
            sent,
            received: sent + Duration::from_millis(after),
            answer,
        };
        town.saw(reply(sent, 4000, Answer::Done));
        assert!(
            !town.note(|verdict| hangs(verdict)),
            "there is no fault yet"
        );
        town.fault_begins();
        town.fault_ends();
        let later = Instant::now() + Duration::from_millis(1);
        town.saw(reply(later, 4000, Answer::Unavailable));
        assert!(
            !town.note(|verdict| hangs(verdict)),
            "it was asked for afterwards"
        );
        for answer in [
            Answer::Done,
            Answer::Unavailable,
            Answer::Refused("session_unknown".to_owned()),
        ] {
            town.saw(reply(sent, 2500, answer));
            assert!(town.note(|verdict| hangs(verdict)));
            town.note(std::mem::take);
        }
    }

    fn hangs(verdict: &Verdict) -> bool {
        let mut verdict = verdict.clone();
        verdict.answered_within(Duration::from_secs(2));
        !verdict.violations().is_empty()
    }
}
