//! What the clients of a fault share: where the service is, what they may lose, and what they have found so far.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use fastrand::Rng;
use tokio::time::sleep;

use super::{
    claims::Losses, fault_window::FaultWindow, findings::Findings, rounds::edit,
    stall_monitor::StallMonitor,
};
use crate::harness::{
    api::{Api, Reply},
    client::Client,
    http::HttpClient,
    journal::Journal,
    profile::{Account, Answer, ServerProfile},
};

/// The default of `http.request_timeout`, and a second.
const DEADLINE: Duration = Duration::from_secs(11);
/// A service that does not recover within this has failed.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two checks whether something has happened.
const POLL: Duration = Duration::from_millis(10);

pub(super) struct Scenario {
    http: HttpClient,
    profile: Arc<ServerProfile>,
    urls: Mutex<Vec<String>>,
    losses: Mutex<Losses>,
    findings: Mutex<Findings>,
    nonce: String,
    stalls: Arc<StallMonitor>,
    accounts: AtomicU32,
    stopped: AtomicBool,
    fault: Mutex<FaultWindow>,
    requires_answers: AtomicBool,
    refreshes_only: AtomicBool,
}

impl Scenario {
    pub(super) fn new(nonce: String, stalls: Arc<StallMonitor>) -> Result<Self> {
        Ok(Self {
            http: HttpClient::new()?,
            profile: Arc::new(ServerProfile::load(None)?),
            urls: Mutex::default(),
            losses: Mutex::default(),
            findings: Mutex::default(),
            nonce,
            stalls,
            accounts: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
            fault: Mutex::default(),
            requires_answers: AtomicBool::new(false),
            refreshes_only: AtomicBool::new(false),
        })
    }

    /// An address that no other client of this run has.
    pub(super) fn new_email(&self) -> String {
        format!(
            "faults-{}-{}@example.org",
            self.nonce,
            self.accounts.fetch_add(1, Ordering::Relaxed)
        )
    }

    /// All stalls of the machine so far; bounds of time are extended by them.
    pub(super) fn stalled(&self) -> Duration {
        self.stalls.stalled()
    }

    /// Clients send their requests to these replicas from now on.
    pub(super) fn route_to(&self, urls: &[&str]) {
        *lock(&self.urls) = urls.iter().map(|url| (*url).to_owned()).collect();
    }

    /// A request without an answer is a violation from now on, even during a fault.
    pub(super) fn require_answers(&self) {
        self.requires_answers.store(true, Ordering::Relaxed);
    }

    /// Clients only sign up, sign in and refresh from now on.
    pub(super) fn refresh_only(&self) {
        self.refreshes_only.store(true, Ordering::Relaxed);
    }

    pub(super) fn refreshes_only(&self) -> bool {
        self.refreshes_only.load(Ordering::Relaxed)
    }

    /// Which sessions the fault may lose.
    pub(super) fn expect_losses(&self, losses: Losses) {
        *lock(&self.losses) = losses;
    }

    pub(super) fn losses(&self) -> Losses {
        *lock(&self.losses)
    }

    /// The losses that the fault may cause end now.
    pub(super) fn end_losses(&self) {
        self.expect_losses(self.losses().until(Instant::now()));
    }

    /// Requests that overlap the time until `fault_ends` are timed.
    pub(super) fn fault_begins(&self) {
        lock(&self.fault).begin(Instant::now());
    }

    pub(super) fn fault_ends(&self) {
        lock(&self.fault).end(Instant::now());
    }

    /// The responses with status 503 during the fault so far.
    pub(super) fn unavailable(&self) -> usize {
        self.edit(|findings| findings.unavailable())
    }

    /// Waits for a 503 during the fault.
    pub(super) async fn wait_for_unavailable(&self, at_most: Duration) {
        let begun = Instant::now();
        while self.unavailable() == 0 && begun.elapsed() < at_most {
            sleep(POLL).await;
        }
    }

    /// Clients run until `stop`.
    pub(super) fn begin(&self) {
        self.stopped.store(false, Ordering::Relaxed);
        *lock(&self.fault) = FaultWindow::default();
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Records a reply and its time.
    pub(super) fn record(&self, reply: Reply) -> Reply {
        let took = reply.received.duration_since(reply.sent);
        if let Answer::Silence(why) = &reply.answer {
            if self.requires_answers.load(Ordering::Relaxed) {
                self.violate(&format!("no answer after {} ms ({why})", took.as_millis()));
            }
        } else if took > DEADLINE {
            self.violate(&format!(
                "an answer after {} ms, past the request's deadline",
                took.as_millis()
            ));
        }
        if lock(&self.fault).overlaps(reply.sent, reply.received) {
            match reply.answer {
                Answer::Unavailable => {
                    self.edit(|findings| findings.add_unavailable(took));
                    self.check("503 during the fault");
                }
                Answer::Silence(_) => {}
                _ => self.edit(|findings| findings.add_answered(took)),
            }
        }
        reply
    }

    pub(super) fn check(&self, what: &'static str) {
        self.edit(|findings| findings.check(what));
    }

    pub(super) fn violate(&self, why: &str) {
        self.edit(|findings| findings.violate(why));
    }

    /// The findings since they were taken last.
    pub(super) fn take_findings(&self) -> Findings {
        self.edit(std::mem::take)
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Findings) -> T) -> T {
        edit(&self.findings, change)
    }

    pub(super) fn any_replica(&self, rng: &mut Rng, journal: &Journal) -> Api {
        let urls = lock(&self.urls);
        self.api(&urls[rng.usize(..urls.len())], journal)
    }

    pub(super) fn api(&self, base: &str, journal: &Journal) -> Api {
        Api {
            http: self.http.clone(),
            profile: Arc::clone(&self.profile),
            base: base.to_owned(),
            journal: journal.clone(),
        }
    }

    /// For requests that are no part of the API.
    pub(super) fn http(&self) -> &HttpClient {
        &self.http
    }

    /// Signs up a new user at a replica, at once.
    pub(super) async fn sign_up(&self, base: &str) -> Result<(Account, Client)> {
        let api = self.api(base, &Journal::new());
        let account = Account {
            user: self.new_email(),
            password: "correct horse battery".to_owned(),
        };
        let reply = api.sign_up(&account).await?;
        let client = Client::from_reply(&api, &reply, false)?;
        Ok((account, client))
    }

    /// Waits until a new user can sign up and refresh at every replica, and records how long that took.
    pub(super) async fn wait_for_recovery(&self) -> Result<()> {
        let (begun, stalled) = (Instant::now(), self.stalled());
        let urls = lock(&self.urls).clone();
        for url in urls {
            loop {
                let served = async {
                    let (_, client) = self.sign_up(&url).await?;
                    let reply = client.refresh().await?;
                    reply.grant().map(drop).context("a refresh is refused")
                };
                match served.await {
                    Ok(()) => break,
                    Err(error) if begun.elapsed() > PATIENCE => {
                        bail!("the service does not recover: {error:#}")
                    }
                    Err(_) => sleep(POLL).await,
                }
            }
        }
        let stalled = self.stalled().saturating_sub(stalled);
        let took = begun.elapsed().saturating_sub(stalled);
        self.edit(|findings| findings.add_recovery(took));
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_that_hung_during_the_fault_is_timed_though_it_came_after_it_and_was_good() {
        let folder = tempfile::tempdir().unwrap();
        let stalls = Arc::new(StallMonitor::start(folder.path()).unwrap());
        let scenario = Scenario::new("test".to_owned(), stalls).unwrap();
        let sent = Instant::now();
        let reply = |sent, after, answer| Reply {
            sent,
            received: sent + Duration::from_millis(after),
            answer,
        };
        scenario.record(reply(sent, 4000, Answer::Done));
        assert!(!hangs(&scenario.take_findings()), "the fault has not begun");
        scenario.fault_begins();
        scenario.fault_ends();
        let later = Instant::now() + Duration::from_millis(1);
        scenario.record(reply(later, 4000, Answer::Unavailable));
        assert!(
            !hangs(&scenario.take_findings()),
            "it was sent after the fault"
        );
        for answer in [
            Answer::Done,
            Answer::Unavailable,
            Answer::Refused("session_unknown".to_owned()),
        ] {
            scenario.record(reply(sent, 2500, answer));
            assert!(hangs(&scenario.take_findings()));
        }
    }

    fn hangs(findings: &Findings) -> bool {
        let mut findings = findings.clone();
        findings.answered_within(Duration::from_secs(2));
        !findings.violations().is_empty()
    }
}
