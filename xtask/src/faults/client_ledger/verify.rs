//! After a fault: what was acknowledged must be true, and requests without an answer are repeated until they have one.

use anyhow::Result;
use fastrand::Rng;
use tokio::time::sleep;

use super::{AccountState, ClientLedger, PAUSE};
use crate::{
    faults::{
        claims::{Claim, Judgement, judge},
        scenario::Scenario,
    },
    harness::{
        api::{Api, Reply},
        client::Client,
        profile::{Account, Answer},
    },
};

impl ClientLedger {
    /// Holds the service to everything that it acknowledged; a request that is not answered in all attempts is a violation.
    pub(in crate::faults) async fn verify(
        &mut self,
        scenario: &Scenario,
        mut rng: Rng,
    ) -> Result<()> {
        let api = scenario.any_replica(&mut rng, &self.journal);
        self.verify_session(scenario, &api).await?;
        for grant in &self.ended {
            let client = Client {
                api: api.clone(),
                grant: grant.clone(),
                sends_credential: self.sends_credential,
            };
            self.require(
                scenario,
                Claim::Ended,
                "refreshes after a sign-out",
                async || client.refresh().await.map(Some),
            )
            .await?;
            self.require(
                scenario,
                Claim::Ended,
                "bearer calls after a sign-out",
                async || api.check(grant).await,
            )
            .await?;
        }
        self.verify_password(scenario, &api).await
    }

    async fn verify_session(&mut self, scenario: &Scenario, api: &Api) -> Result<()> {
        let before = self.session.is_some();
        let mut answered = self.account_state == AccountState::Present;
        for _ in 0..self.attempts {
            if answered {
                break;
            }
            answered = self.sign_up(scenario, api).await?;
            pause_unless(answered).await;
        }
        self.require_answer(scenario, answered, "a sign-up");
        let signing_out = self
            .session
            .as_ref()
            .is_some_and(|session| session.signing_out);
        let mut answered = !before;
        for _ in 0..self.attempts {
            if answered {
                break;
            }
            answered = if signing_out {
                self.sign_out(scenario, api).await?
            } else {
                self.refresh(scenario, api).await?
            };
            pause_unless(answered).await;
        }
        self.require_answer(
            scenario,
            answered,
            if signing_out {
                "a sign-out"
            } else {
                "a refresh"
            },
        );
        Ok(())
    }

    async fn verify_password(&mut self, scenario: &Scenario, api: &Api) -> Result<()> {
        if let Some(new) = self.unconfirmed_password.take() {
            let account = Account {
                password: new.clone(),
                ..self.account.clone()
            };
            let mut answered = false;
            for _ in 0..self.attempts {
                let answer = api.sign_in(&account, None).await?.answer;
                answered = !matches!(answer, Answer::Unavailable | Answer::Silence(_));
                if matches!(answer, Answer::Granted(_)) {
                    self.replace_password(new.clone());
                }
                if answered {
                    break;
                }
                sleep(PAUSE).await;
            }
            if !answered {
                self.unconfirmed_password = Some(new);
            }
            self.require_answer(scenario, answered, "a sign-in with the new password");
        }
        let account = &self.account;
        self.require(
            scenario,
            Claim::Password,
            "passwords afterwards",
            async || api.sign_in(account, None).await.map(Some),
        )
        .await?;
        if let Some(replaced) = &self.replaced_password {
            let old = Account {
                password: replaced.clone(),
                ..self.account.clone()
            };
            self.require(
                scenario,
                Claim::Replaced,
                "replaced passwords afterwards",
                async || api.sign_in(&old, None).await.map(Some),
            )
            .await?;
        }
        Ok(())
    }

    /// Repeats a request until it is answered, and judges the answer.
    async fn require(
        &self,
        scenario: &Scenario,
        claim: Claim,
        what: &'static str,
        ask: impl AsyncFn() -> Result<Option<Reply>>,
    ) -> Result<()> {
        for _ in 0..self.attempts {
            let Some(reply) = ask().await? else {
                return Ok(());
            };
            match judge(claim, &reply.answer, scenario.losses()) {
                Judgement::Kept => {
                    scenario.check(what);
                    return Ok(());
                }
                Judgement::Excused => unreachable!("only sessions are excused"),
                Judgement::Broken(why) => {
                    scenario.violate(&why);
                    return Ok(());
                }
                Judgement::Later => sleep(PAUSE).await,
            }
        }
        self.require_answer(scenario, false, what);
        Ok(())
    }

    fn require_answer(&self, scenario: &Scenario, answered: bool, what: &str) {
        if !answered {
            scenario.violate(&format!("{what}: no answer in {} attempts", self.attempts));
        }
    }
}

async fn pause_unless(answered: bool) {
    if !answered {
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Instant};

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::{
        faults::{client_ledger::OpenSession, stall_monitor::StallMonitor},
        harness::profile::Grant,
    };

    /// A service that always answers 503.
    async fn never_ready() -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let _length = stream.read(&mut [0; 4096]).await?;
                    stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await?;
                    stream.shutdown().await?;
                    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
                });
            }
        });
        url
    }

    /// The violations of a service that always answers 503, for one client.
    async fn violations(prepare: impl FnOnce(&mut ClientLedger, &Api)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let stalls = Arc::new(StallMonitor::start(folder.path()).unwrap());
        let scenario = Scenario::new("test".to_owned(), stalls).unwrap();
        scenario.route_to(&[&never_ready().await]);
        let mut rng = Rng::with_seed(1);
        let mut client = ClientLedger::new("ann@example.org".to_owned(), false);
        let api = scenario.any_replica(&mut rng, &client.journal);
        client.attempts = 2;
        prepare(&mut client, &api);
        client.verify(&scenario, rng).await.unwrap();
        scenario.take_findings().violations().to_vec()
    }

    fn session(api: &Api, signing_out: bool) -> OpenSession {
        let grant = Grant {
            refresh: "r".to_owned(),
            access: None,
            credential: None,
        };
        let now = Instant::now();
        OpenSession {
            client: Client {
                api: api.clone(),
                grant,
                sends_credential: false,
            },
            begun: (now, now),
            signing_out,
        }
    }

    #[tokio::test]
    async fn a_503_for_ever_is_a_violation_of_each_claim() {
        for (signing_out, what) in [(false, "a refresh"), (true, "a sign-out")] {
            let violations = violations(|client, api| {
                client.account_state = AccountState::Present;
                client.session = Some(session(api, signing_out));
            });
            assert_eq!(
                violations.await,
                [
                    format!("{what}: no answer in 2 attempts"),
                    "passwords afterwards: no answer in 2 attempts".to_owned()
                ]
            );
        }
        let violations =
            violations(|client, _| client.unconfirmed_password = Some("new".to_owned())).await;
        assert_eq!(
            violations[..2],
            [
                "a sign-up: no answer in 2 attempts",
                "a sign-in with the new password: no answer in 2 attempts"
            ]
        );
    }
}
