//! After a fault: what was acknowledged must be true, and what was not answered is asked for until it is.

use anyhow::Result;
use fastrand::Rng;
use tokio::time::sleep;

use super::{Known, PAUSE, Person};
use crate::{
    faults::{
        claims::{Claim, Judgement, judge},
        scenario::Town,
    },
    harness::{
        api::{Api, Reply},
        client::Client,
        profile::{Account, Answer},
    },
};

/// Eight seconds and what the answers take.
pub(super) const ATTEMPTS: u32 = 400;

impl Person {
    /// Holds the service to everything; what is not answered for so long is a violation, too.
    pub(in crate::faults) async fn settle(&mut self, town: &Town, mut rng: Rng) -> Result<()> {
        let api = town.any(&mut rng, &self.journal);
        self.settle_session(town, &api).await?;
        for grant in &self.ended {
            let client = Client {
                api: api.clone(),
                grant: grant.clone(),
                sends_credential: self.shows,
            };
            self.hold(
                town,
                Claim::Ended,
                "refreshes after a sign-out",
                async || client.refresh().await.map(Some),
            )
            .await?;
            self.hold(
                town,
                Claim::Ended,
                "bearer calls after a sign-out",
                async || api.check(grant).await,
            )
            .await?;
        }
        self.settle_password(town, &api).await
    }

    async fn settle_session(&mut self, town: &Town, api: &Api) -> Result<()> {
        let before = self.session.is_some();
        let mut answered = self.exists == Known::Yes;
        for _ in 0..self.attempts {
            if answered {
                break;
            }
            answered = self.sign_up(town, api).await?;
            pause_unless(answered).await;
        }
        self.demand(town, answered, "a sign-up");
        let leaving = self.session.as_ref().is_some_and(|session| session.leaving);
        let mut answered = !before;
        for _ in 0..self.attempts {
            if answered {
                break;
            }
            answered = if leaving {
                self.sign_out(town, api).await?
            } else {
                self.refresh(town, api).await?
            };
            pause_unless(answered).await;
        }
        self.demand(
            town,
            answered,
            if leaving { "a sign-out" } else { "a refresh" },
        );
        Ok(())
    }

    async fn settle_password(&mut self, town: &Town, api: &Api) -> Result<()> {
        if let Some(new) = self.perhaps.take() {
            let account = Account {
                password: new.clone(),
                ..self.account.clone()
            };
            let mut answered = false;
            for _ in 0..self.attempts {
                let answer = api.sign_in(&account, None).await?.answer;
                answered = !matches!(answer, Answer::Unavailable | Answer::Silence(_));
                if matches!(answer, Answer::Granted(_)) {
                    self.replaced =
                        Some(std::mem::replace(&mut self.account.password, new.clone()));
                }
                if answered {
                    break;
                }
                sleep(PAUSE).await;
            }
            if !answered {
                self.perhaps = Some(new);
            }
            self.demand(town, answered, "a sign-in with the new password");
        }
        let account = &self.account;
        self.hold(town, Claim::Password, "passwords afterwards", async || {
            api.sign_in(account, None).await.map(Some)
        })
        .await?;
        if let Some(replaced) = &self.replaced {
            let old = Account {
                password: replaced.clone(),
                ..self.account.clone()
            };
            self.hold(
                town,
                Claim::Replaced,
                "replaced passwords afterwards",
                async || api.sign_in(&old, None).await.map(Some),
            )
            .await?;
        }
        Ok(())
    }

    /// Asks until it is answered, and judges.
    async fn hold(
        &self,
        town: &Town,
        claim: Claim,
        what: &'static str,
        ask: impl AsyncFn() -> Result<Option<Reply>>,
    ) -> Result<()> {
        for _ in 0..self.attempts {
            let Some(reply) = ask().await? else {
                return Ok(());
            };
            match judge(claim, &reply.answer, town.losses()) {
                Judgement::Kept => {
                    town.check(what);
                    return Ok(());
                }
                Judgement::Excused => unreachable!("only sessions are excused"),
                Judgement::Broken(why) => {
                    town.violate(&why);
                    return Ok(());
                }
                Judgement::Later => sleep(PAUSE).await,
            }
        }
        self.demand(town, false, what);
        Ok(())
    }

    /// Who is told to come back for ever was not served.
    fn demand(&self, town: &Town, answered: bool, what: &str) {
        if !answered {
            town.violate(&format!("{what}: no answer in {} attempts", self.attempts));
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
        faults::{client_ledger::Session, rounds::Round, stall_monitor::Pulse},
        harness::profile::Grant,
    };

    /// A service that will be back, it says, for ever.
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

    /// What is violated by a service that answers 503 for ever, as far as this person goes.
    async fn violated(prepare: impl FnOnce(&mut Person, &Api)) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let town = Town::new(
            "test".to_owned(),
            Arc::new(Pulse::start(folder.path()).unwrap()),
        )
        .unwrap();
        town.at(&[&never_ready().await]);
        let (mut round, mut people) = (
            Round::new(1),
            vec![Person::new("somebody".to_owned(), false)],
        );
        let api = town.any(&mut round.rng, &people[0].journal);
        people[0].attempts = 2;
        prepare(&mut people[0], &api);
        people[0].settle(&town, round.rng.fork()).await.unwrap();
        // Nothing more happens; this moves what was seen into the round.
        town.endure(&mut [], &mut round, async { Ok(()) })
            .await
            .unwrap();
        round.note(|verdict| verdict.violations().to_vec())
    }

    fn session(api: &Api, leaving: bool) -> Session {
        let grant = Grant {
            refresh: "r".to_owned(),
            access: None,
            credential: None,
        };
        let now = Instant::now();
        Session {
            client: Client {
                api: api.clone(),
                grant,
                sends_credential: false,
            },
            begun: (now, now),
            leaving,
        }
    }

    #[tokio::test]
    async fn a_503_for_ever_is_a_violation_of_each_claim() {
        for (leaving, what) in [(false, "a refresh"), (true, "a sign-out")] {
            let violated = violated(|person, api| {
                person.exists = Known::Yes;
                person.session = Some(session(api, leaving));
            });
            let violated = violated.await;
            assert_eq!(
                violated,
                [
                    format!("{what}: no answer in 2 attempts"),
                    "passwords afterwards: no answer in 2 attempts".to_owned()
                ]
            );
        }
        let violated = violated(|person, _| person.perhaps = Some("new".to_owned())).await;
        assert_eq!(
            violated[..2],
            [
                "a sign-up: no answer in 2 attempts",
                "a sign-in with the new password: no answer in 2 attempts"
            ]
        );
    }
}
