//! More passwords than can be hashed, and what an operator finds out about it.

use crate::support::{App, PASSWORD, on_both_stores};
use serde_json::Value;
use std::{process::Command, time::Duration};
use tokio::sync::Notify;

on_both_stores! {
    async fn an_overload_is_told_when_to_come_again_and_stops_nobody_else(
        app: App,
        "limits.enabled = false\nhashing.threads = 1\nhashing.memory_kib = 64\nhashing.passes = 3000\nhashing.patience = '3s'"
    ) {
        let mut ann = app.sign_up("ann").await;
        let attempts = futures_util::future::join_all((0..60).map(|_| async {
            app.anon().sign_in("ann@example.org", "not it").await
        }));
        let refreshes = async {
            for _ in 0..5 {
                ann.refresh().await.expect(200);
                ann.get("/me").await.expect(200);
            }
        };
        let (attempts, ()) = futures_util::join!(attempts, refreshes);
        assert!(attempts.iter().all(|answer| matches!(answer.status, 401 | 503)));
        let refused = attempts.into_iter().filter(|answer| answer.status == 503).map(|answer| answer.expect_problem(503, "unavailable"));
        let waits: Vec<u64> = refused.map(|answer| answer.header("retry-after").parse().unwrap()).collect();
        assert!(!waits.is_empty() && waits.len() < 60, "some are hashed, others are turned away: {}", waits.len());
        // Who is turned away at once would have waited longer than the patience; who was let in and then not served in time, on a busy
        // machine, is told by what is left of the queue.
        assert!(waits.iter().all(|wait| *wait >= 1) && waits.iter().any(|wait| *wait >= 3), "{waits:?}");
        tokio::time::timeout(Duration::from_mins(1), async {
            while app.anon().sign_in("ann@example.org", PASSWORD).await.status != 200 {}
        })
        .await
        .expect("it passes");
    }
}

on_both_stores! {
    async fn one_account_that_signs_in_without_end_leaves_others_their_turn(
        app: App,
        "limits.enabled = false\nhashing.threads = 1\nhashing.memory_kib = 64\nhashing.passes = 3000\nhashing.patience = '3s'"
    ) {
        app.sign_up("ann").await;
        let mut bob = app.sign_up("bob").await;
        let full = Notify::new();
        // All requests come from one address, and the passwords are right.
        let flood = futures_util::future::join_all((0..80).map(|_| async {
            let answer = app.anon().sign_in("ann@example.org", PASSWORD).await;
            if answer.status == 503 {
                full.notify_one();
            }
            answer.status
        }));
        let others = async {
            tokio::time::timeout(Duration::from_mins(1), full.notified())
                .await
                .expect("the queue fills");
            bob.sign_in_again("bob@example.org").await.expect(200);
            app.sign_up("eve").await;
        };
        let (flood, ()) = futures_util::join!(flood, others);
        assert!(flood.contains(&200) && flood.contains(&503), "{flood:?}");
    }
}

#[test]
fn a_cost_is_proposed_as_lines_for_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let calibrate = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
        command.current_dir(folder.path()).env_clear().envs([
            ("REVOLVE__HASHING__THREADS", "1"),
            ("REVOLVE__HASHING__MEMORY_BUDGET", "64MiB"),
        ]);
        command.args(["hash", "calibrate", "--rounds", "1"]);
        let output = command.args(more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let text = calibrate(&["--target", "1ms"]);
    assert!(
        text.ends_with("\n[hashing]\nmemory_kib = 19456\npasses = 2\nlanes = 1\n")
            && text.contains("not safe"),
        "{text}"
    );
    let json: Value = serde_json::from_str(&calibrate(&["--target", "500ms", "--json"])).unwrap();
    let (minimum, proposed) = (&json["minimum"], &json["proposed"]);
    assert_eq!(
        (
            json["threads"].as_u64(),
            minimum["memoryKib"].as_u64(),
            minimum["passes"].as_u64()
        ),
        (Some(1), Some(19_456), Some(2))
    );
    assert!(
        proposed["memoryKib"].as_u64() <= Some(65_536),
        "within the budget"
    );
    assert!(
        proposed["memoryKib"].as_u64() > Some(19_456)
            && proposed["hashesPerSecond"].as_f64() < minimum["hashesPerSecond"].as_f64()
    );
    assert!(
        folder.path().read_dir().unwrap().next().is_none(),
        "nothing is made"
    );
}
