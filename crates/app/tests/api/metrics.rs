//! The metrics, the page that explains them, and what is drawn and alerted from them: none names what the others don't have.

use crate::support::{App, Store, with_config, with_one_redis};
use serde_json::json;
use std::{
    collections::BTreeSet,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

type Names = BTreeSet<String>;

fn file(path: &str) -> String {
    std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .join(path),
    )
    .unwrap()
}

/// The metrics in the older format, after everything has happened once that makes one appear.
async fn exported(app: &App) -> String {
    let mut ann = app.sign_up("ann").await;
    ann.refresh().await.expect(200);
    app.backing.server().redis.cut();
    ann.refresh().await.expect_problem(503, "unavailable");
    let url = format!("http://{}/metrics", app.metrics.unwrap());
    let answer = reqwest::Client::new()
        .get(url)
        .header("accept", "text/plain")
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    answer.text().await.unwrap()
}

fn families(text: &str) -> Names {
    text.lines()
        .filter_map(|line| Some(line.strip_prefix("# TYPE ")?.split_once(' ')?.0.to_owned()))
        .collect()
}

/// Every word that looks like one of our metrics.
fn named(text: &str) -> Names {
    let words = text.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
    let ours = words.filter(|word| word.starts_with("revolve_") || word.starts_with("process_"));
    ours.filter(|word| !word.ends_with('_'))
        .map(str::to_owned)
        .collect()
}

/// Those that are no metric and no part of a histogram.
fn unknown(named: &Names, families: &Names) -> Vec<String> {
    let is_part = |name: &str| {
        ["_bucket", "_sum", "_count"].iter().any(|part| {
            name.strip_suffix(part)
                .is_some_and(|base| families.contains(base))
        })
    };
    named
        .iter()
        .filter(|name| !families.contains(*name) && !is_part(name))
        .cloned()
        .collect()
}

#[test]
fn each_metric_is_explained_and_each_that_is_named_exists() {
    with_one_redis("http.metrics_listen = '127.0.0.1:0'", |app| async move {
        let families = families(&exported(&app).await);
        let page = file("docs/operations.md");
        let rows = page
            .lines()
            .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0));
        let explained: Names = rows
            .filter(|name| name.starts_with("revolve_") || name.starts_with("process_"))
            .map(str::to_owned)
            .collect();
        assert_eq!(
            explained, families,
            "docs/operations.md explains each metric, and no other"
        );
        for path in [
            "docs/operations.md",
            "docs/security.md",
            "config/grafana/revolve.json",
            "config/prometheus/alerts.yml",
            "config/prometheus/alerts.test.yml",
        ] {
            let named = named(&file(path));
            assert!(!named.is_empty(), "{path}");
            assert_eq!(
                unknown(&named, &families),
                [""; 0],
                "{path} names what is not exported"
            );
        }
        let drawn = named(&file("config/grafana/revolve.json"));
        let is_drawn = |family: &String| drawn.iter().any(|name| name.starts_with(family.as_str()));
        let undrawn: Vec<_> = families
            .iter()
            .filter(|family| family.starts_with("revolve_") && !is_drawn(family))
            .collect();
        assert_eq!(undrawn, [""; 0], "the dashboard leaves nothing out");
        app.backing.server().redis.restore();
    });
}

#[test]
fn prometheus_own_linter_has_nothing_to_say() {
    let Ok(mut linter) = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
    else {
        println!("skipped: promtool is not installed");
        return;
    };
    with_one_redis("http.metrics_listen = '127.0.0.1:0'", |app| async move {
        let text = exported(&app).await;
        app.backing.server().redis.restore();
        linter
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let output = linter.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    });
}

#[test]
fn a_name_that_does_not_exist_is_noticed() {
    let families: Names = ["revolve_a_total", "revolve_b_seconds"]
        .map(str::to_owned)
        .into();
    let text = "sum(rate(revolve_a_total[5m])) revolve_b_seconds_bucket{x=\"y\"} revolve_a revolve_b_seconds_max `process_` process_c";
    assert_eq!(
        unknown(&named(text), &families),
        ["process_c", "revolve_a", "revolve_b_seconds_max"]
    );
}

#[test]
fn each_alert_has_its_section_and_its_test() {
    let (alerts, page, tests) = (
        file("config/prometheus/alerts.yml"),
        file("docs/operations.md"),
        file("config/prometheus/alerts.test.yml"),
    );
    let names: Vec<&str> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let runbooks: Vec<&str> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("runbook: docs/operations.md#"))
        .collect();
    assert_eq!(
        names
            .iter()
            .map(|name| name.to_lowercase())
            .collect::<Vec<_>>(),
        runbooks
    );
    let sections: Vec<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### Revolve").map(|_| &line[4..]))
        .collect();
    assert_eq!(names, sections);
    for name in names {
        assert!(
            tests.contains(&format!("- name: {name}\n"))
                && tests.contains(&format!("alertname: {name}, exp_alerts: []")),
            "{name}"
        );
    }
}

/// What stands behind each `operation="`.
fn operations(text: &str) -> Names {
    text.split("operation=\"")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()))
        .collect()
}

#[test]
fn alerts_name_operations_that_exist() {
    // A line of a table is `"operation": method(...) -> output;`.
    let existing: Names = file("crates/domain/src/ports/decorator.rs")
        .lines()
        .filter_map(|line| {
            let (operation, _) = line.trim_start().strip_prefix('"')?.split_once("\": ")?;
            Some(operation.to_owned())
        })
        .collect();
    for path in [
        "config/prometheus/alerts.yml",
        "config/prometheus/alerts.test.yml",
    ] {
        let named = operations(&file(path));
        assert!(!named.is_empty(), "{path}");
        let unknown: Vec<_> = named.difference(&existing).collect();
        assert_eq!(unknown, [""; 0], "{path} names what is no operation");
    }
}

#[test]
fn refusals_are_counted_by_their_code_and_rotations_by_their_outcome() {
    with_config(
        Store::Embedded,
        "http.metrics_listen = '127.0.0.1:0'\nsessions.retry_free = '0s'\nsessions.retry_window = '0s'",
        |app| async move {
            let mut ann = app.sign_up("ann").await;
            let parent = ann.refresh_token.clone();
            ann.refresh().await.expect(200);
            ann.refresh_with(&parent)
                .await
                .expect_problem(401, "token_reused");
            ann.post("/tokens", json!({ "refreshToken": "nonsense" }))
                .await
                .expect_problem(401, "token_invalid");
            let metrics = reqwest::get(format!("http://{}/metrics", app.metrics.unwrap()))
                .await
                .unwrap()
                .text()
                .await
                .unwrap();
            for line in [
                "revolve_rotations_total{outcome=\"rotated\"} 1",
                "revolve_rotations_total{outcome=\"reused\"} 1",
                "revolve_rotations_total{outcome=\"healed\"} 0",
                "revolve_http_requests_total{route=\"/api/account/tokens\",method=\"POST\",status=\"401\",code=\"token_invalid\"} 1",
                "revolve_http_requests_total{route=\"/api/account/tokens\",method=\"POST\",status=\"200\",code=\"\"} 1",
                "revolve_store_call_duration_seconds_count{store=\"sqlite\",operation=\"rotate\"} 2",
                "revolve_password_hash_duration_seconds_count{operation=\"hash\"} 1",
                "revolve_keys{use=\"id\",state=\"active\"} 1.0",
                "revolve_pool_connections{store=\"sqlite\",state=\"in_use\"} 0.0",
            ] {
                assert!(
                    metrics.contains(&format!("{line}\n")),
                    "{line} in {metrics}"
                );
            }
        },
    );
}
