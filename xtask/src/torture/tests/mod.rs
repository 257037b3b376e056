//! The cases against token endpoints that are known to be good or bad: cases that can't fail would prove nothing.

mod endpoint;

use std::time::Duration;

use self::endpoint::{Behaviour, Endpoint};
use super::{args::Args, cases::Case, report::TortureReport, run::attack};
use crate::harness::{args, interrupt::Interrupt};

const PROFILE: &str = include_str!("../../../profiles/oauth2.toml");

/// Attacks an endpoint that behaves like this.
async fn attacked(behaviour: Behaviour, cases: &[Case]) -> TortureReport {
    let endpoint = Endpoint::start(behaviour).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), PROFILE).unwrap();
    let profile = file.path().display().to_string();
    let mut args: Args =
        args::parse(&["--url", &endpoint.url, "--profile", &profile, "--seed", "1"]).unwrap();
    (args.rounds, args.only, args.parallel) = (cases.len() * 8, cases.to_vec(), 8);
    args.windows = endpoint::windows(behaviour);
    attack(&args, &Interrupt::listen().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_sound_endpoint_passes_every_case_that_its_profile_can_express() {
    let cases = [
        Case::Tabs,
        Case::Dropped,
        Case::Copied,
        Case::SignOut,
        Case::Parent,
        Case::Grandparent,
    ];
    let report = attacked(Behaviour::Sound, &cases).await;
    assert!(report.is_met(), "{}", report.table());
    let total = report.total();
    assert_eq!(
        (total.rounds, total.branches),
        (48, Some(1)),
        "{}",
        report.table()
    );
    assert!(
        total.by_design > 0,
        "no retry came too late: {}",
        report.table()
    );
}

#[tokio::test]
async fn an_endpoint_that_forks_chains_on_parallel_refreshes_has_more_than_one_branch() {
    let report = attacked(Behaviour::Forks, &[Case::Tabs]).await;
    assert!(
        !report.is_met() && report.total().branches > Some(1),
        "{}",
        report.table()
    );
    assert_eq!(report.total().lost, 0, "{}", report.table());
}

#[tokio::test]
async fn an_endpoint_that_knows_no_retries_loses_honest_clients() {
    let report = attacked(Behaviour::Strict, &[Case::Tabs, Case::Dropped]).await;
    assert!(
        !report.is_met() && report.total().lost > 0,
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn an_endpoint_that_refuses_a_replay_and_forgets_it_does_not_find_thieves() {
    let report = attacked(Behaviour::Forgetful, &[Case::Parent, Case::Copied]).await;
    assert!(
        !report.is_met() && report.total().undetected > 0,
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn a_sign_out_that_a_refresh_undoes_leaves_survivors() {
    let report = attacked(Behaviour::Revives, &[Case::SignOut]).await;
    assert!(
        !report.is_met() && report.total().survivors > 0,
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn what_a_profile_cannot_express_is_reported_and_not_run() {
    let report = attacked(
        Behaviour::Sound,
        &[Case::Stolen, Case::Password, Case::Processes],
    )
    .await;
    assert!(!report.is_met(), "nothing ran");
    let table = report.table();
    for words in [
        "stolen: the profile has no device credential",
        "processes: needs two replicas",
        "password: ",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
}

#[tokio::test]
async fn nobody_there_is_an_error_and_no_score_of_zeros() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let args: Args = args::parse(&["--url", &url, "--rounds", "1", "--only", "tabs"]).unwrap();
    let report = tokio::time::timeout(
        Duration::from_secs(30),
        attack(&args, &Interrupt::listen().unwrap()),
    )
    .await
    .unwrap()
    .unwrap();
    assert!(
        !report.is_met() && report.total().other > 0,
        "{}",
        report.table()
    );
}
