//! The kit against token endpoints that are known to be good or bad: a kit that could not fail would prove nothing.

mod endpoint;

use std::time::Duration;

use super::{Args, attack, cases::Case, report::Report};
use crate::harness::interrupt::Interrupt;
use endpoint::{Endpoint, Manners};

const PROFILE: &str = include_str!("../../../profiles/oauth2.toml");

/// Attacks an endpoint with such manners; what came out.
async fn attacked(manners: Manners, cases: &[Case]) -> Report {
    let endpoint = Endpoint::start(manners).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), PROFILE).unwrap();
    let mut args = Args {
        url: vec![endpoint.url.clone()],
        profile: Some(file.path().to_owned()),
        ..Args::default()
    };
    (args.rounds, args.seed, args.only, args.parallel) =
        (cases.len() * 8, Some(1), cases.to_vec(), 8);
    args.windows = endpoint::windows(manners);
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
    let report = attacked(Manners::Sound, &cases).await;
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
    let report = attacked(Manners::Forks, &[Case::Tabs]).await;
    assert!(
        !report.is_met() && report.total().branches > Some(1),
        "{}",
        report.table()
    );
    assert_eq!(report.total().lost, 0, "{}", report.table());
}

#[tokio::test]
async fn an_endpoint_that_knows_no_retries_loses_honest_clients() {
    let report = attacked(Manners::Strict, &[Case::Tabs, Case::Dropped]).await;
    assert!(
        !report.is_met() && report.total().lost > 0,
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn an_endpoint_that_refuses_a_replay_and_forgets_it_does_not_find_thieves() {
    let report = attacked(Manners::Forgetful, &[Case::Parent, Case::Copied]).await;
    assert!(
        !report.is_met() && report.total().undetected > 0,
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn a_sign_out_that_a_refresh_undoes_leaves_survivors() {
    let report = attacked(Manners::Revives, &[Case::SignOut]).await;
    assert!(
        !report.is_met() && report.total().survivors > 0,
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn what_a_profile_cannot_express_is_said_and_not_played() {
    let report = attacked(
        Manners::Sound,
        &[
            Case::Stolen,
            Case::Password,
            Case::Killed,
            Case::Restored,
            Case::Outage,
            Case::Processes,
        ],
    )
    .await;
    assert!(!report.is_met(), "nothing was played");
    let table = report.table();
    for words in [
        "stolen: the profile has no device credential",
        "killed: needs instances",
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
    let args = Args {
        url: vec![url],
        rounds: 1,
        only: vec![Case::Tabs],
        ..Args::default()
    };
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
