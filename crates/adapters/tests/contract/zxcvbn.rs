//! zxcvbn on its threads.

use revolve_adapters::zxcvbn::{JudgingConfig, ZxcvbnStrength};
use revolve_domain::{
    limits::AddressRange,
    model::{EmailAddress, Password},
    ports::{HashFlow, PasswordStrength, PasswordVerdict, StoreErrorKind},
};
use secrecy::SecretString;
use std::{net::Ipv4Addr, num::NonZeroUsize, sync::Arc, time::Duration};

fn judge(config: JudgingConfig) -> Arc<dyn PasswordStrength> {
    Arc::new(ZxcvbnStrength::new(
        ["revolve".to_owned(), "accounts.example.org".to_owned()],
        config,
    ))
}

#[expect(clippy::unused_async, reason = "the contract's macro awaits it")]
async fn make() -> Arc<dyn PasswordStrength> {
    judge(JudgingConfig::default())
}

revolve_testkit::strength_contract!(make);

fn password(text: &str) -> Password {
    Password::present(&SecretString::from(text)).unwrap()
}

/// A new account's first password, sent from `192.0.2.<host>`.
fn flow(name: &str, host: u8) -> HashFlow {
    let address = Ipv4Addr::new(192, 0, 2, host);
    HashFlow {
        account: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
        address: Some(AddressRange::of(address.into(), 64)),
        known: false,
    }
}

#[tokio::test]
async fn the_words_of_the_service_are_refused_to_everybody() {
    let judge = make().await;
    for text in [
        "revolve1",
        "Revolve2024!",
        "accounts.example.org",
        "accounts2024",
    ] {
        assert_eq!(
            judge
                .judge(&flow("ann", 1), &password(text), &["ann@example.com"])
                .await
                .unwrap(),
            PasswordVerdict::OwnDetails,
            "{text}"
        );
    }
}

/// The costliest password that is known: every sign that may stand for a letter.
fn hostile() -> Password {
    password(&"4@8({[<36910!|7$5+%2".repeat(13)[..256])
}

#[tokio::test(flavor = "current_thread")]
async fn a_flood_is_turned_away_and_holds_up_nobody() {
    let patience = Duration::from_millis(300);
    let judge = judge(JudgingConfig {
        threads: NonZeroUsize::MIN,
        patience,
    });
    let weak = password(&"p4$$w0rd".repeat(32));
    let flood: Vec<_> = (0..2000)
        .map(|_| {
            let (judge, weak) = (Arc::clone(&judge), weak.clone());
            tokio::spawn(async move { judge.judge(&flow("flood", 1), &weak, &[]).await })
        })
        .collect();
    // Enough turns for each to begin. If this thread judged, all would be over then.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(
        !flood.iter().all(tokio::task::JoinHandle::is_finished),
        "judging is not done on the runtime's thread"
    );
    let mut refused = 0;
    for judgement in flood {
        match judgement.await.unwrap() {
            Ok(verdict) => assert_eq!(verdict, PasswordVerdict::TooCommon),
            Err(error) => {
                assert_eq!(error.kind(), StoreErrorKind::Unavailable);
                assert!(error.retry_hint().is_some(), "it says when to come again");
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "more than a thread can do in {patience:?}");
    assert_eq!(
        judge
            .judge(&flow("flood", 1), &hostile(), &[])
            .await
            .unwrap(),
        PasswordVerdict::Fine,
        "it passes"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn nobody_waits_behind_one_account_or_one_address() {
    let one_account: fn(u8) -> HashFlow = |number| flow("flood", number);
    let one_address = |number| flow(&format!("flood{number}"), 1);
    let judge = judge(JudgingConfig {
        threads: NonZeroUsize::MIN,
        patience: Duration::from_mins(10),
    });
    for of in [one_account, one_address] {
        let flood: Vec<_> = (0..200)
            .map(|number| {
                let (judge, of) = (Arc::clone(&judge), of(number));
                tokio::spawn(async move { judge.judge(&of, &hostile(), &[]).await })
            })
            .collect();
        // Enough turns for each to wait.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        let known = HashFlow {
            known: true,
            ..of(250)
        };
        for other in [flow("ann", 251), flow("bob", 252), known] {
            let judged = judge.judge(&other, &hostile(), &[]).await;
            assert_eq!(judged.unwrap(), PasswordVerdict::Fine);
        }
        let judged = flood.iter().filter(|one| one.is_finished()).count();
        assert!(
            judged < 100,
            "{judged} of the flood went before three others"
        );
        for one in flood {
            one.abort();
        }
    }
}
