//! The cases against token endpoints that are known to be good or bad: cases that can't fail would prove nothing.

mod endpoint;

use std::time::Duration;

use self::endpoint::{Behaviour, Endpoint};
use super::{args::Args, cases::Case, report::TortureReport, run::attack};
use crate::harness::{args, interrupt::Interrupt};

const PROFILE: &str = include_str!("../../../profiles/oauth2.toml");

/// Eight accounts, so that as many rounds run at a time.
fn profile() -> String {
    let one = PROFILE.find("[[accounts]]").unwrap();
    let end = PROFILE.find("[windows]").unwrap();
    let accounts: Vec<_> = (0..8)
        .map(|number| {
            format!("[[accounts]]\nuser = \"ann{number}@example.org\"\npassword = \"secret\"\n")
        })
        .collect();
    let accounts = accounts.concat();
    format!("{}{accounts}{}", &PROFILE[..one], &PROFILE[end..])
}

/// The arguments for an attack on an endpoint that behaves like this, and the file of the profile.
fn args_for(
    url: &str,
    profile: &str,
    behaviour: Behaviour,
    cases: &[Case],
) -> (Args, tempfile::NamedTempFile) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), profile).unwrap();
    let path = file.path().display().to_string();
    let mut args: Args = args::parse(&["--url", url, "--profile", &path, "--seed", "1"]).unwrap();
    (args.rounds, args.only, args.parallel) = (cases.len() * 8, cases.to_vec(), vec![8]);
    args.windows = endpoint::windows(behaviour);
    (args, file)
}

/// Attacks an endpoint that behaves like this.
async fn attacked(behaviour: Behaviour, cases: &[Case]) -> TortureReport {
    let endpoint = Endpoint::start(behaviour).await;
    let (args, _file) = args_for(&endpoint.url, &profile(), behaviour, cases);
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
    assert_eq!(report.total().sessions_ended, 0, "{}", report.table());
}

#[tokio::test]
async fn an_endpoint_that_knows_no_retries_loses_honest_clients() {
    let report = attacked(Behaviour::Strict, &[Case::Tabs, Case::Dropped]).await;
    assert!(
        !report.is_met() && report.total().sessions_ended > 0,
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn a_server_that_refuses_tabs_and_ends_no_session_has_refused_calls_only() {
    let report = attacked(Behaviour::RefusesTabs, &[Case::Tabs]).await;
    let total = report.total();
    assert!(total.calls_refused > 0, "{}", report.table());
    assert_eq!(
        (total.sessions_ended, total.branches),
        (0, Some(1)),
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn a_refused_sign_out_is_reported_and_survivors_are_looked_for() {
    let report = attacked(Behaviour::RefusesSignOut, &[Case::SignOut]).await;
    let total = report.total();
    assert!(total.other > 0 && total.survivors > 0, "{}", report.table());
}

#[tokio::test]
async fn a_window_that_ends_late_is_right_between_its_two_settings() {
    let cases = [Case::Dropped, Case::Parent];
    let endpoint = Endpoint::start(Behaviour::Lenient).await;
    let (mut args, _file) = args_for(&endpoint.url, &profile(), Behaviour::Lenient, &cases);
    let interrupt = Interrupt::listen().unwrap();
    let report = attack(&args, &interrupt).await.unwrap();
    assert!(report.total().undetected > 0, "{}", report.table());
    args.windows = args::parse(&[
        "--retry-free",
        "300ms",
        "--retry-window",
        "900ms",
        "--refused-after",
        "1400ms",
        "--late-retries",
        "2",
    ])
    .unwrap();
    // A replay within the free time is refused longer than it is free.
    args.only = vec![Case::Dropped];
    let report = attack(&args, &interrupt).await.unwrap();
    assert!(report.is_met(), "{}", report.table());
}

#[tokio::test]
async fn an_account_is_used_by_one_round_at_a_time() {
    let one = PROFILE.replace("env:OAUTH2_PASSWORD", "secret");
    let behaviour = Behaviour::EndsFamily;
    let endpoint = Endpoint::start(behaviour).await;
    let (mut args, _file) = args_for(&endpoint.url, &one, behaviour, &[Case::Parent]);
    args.rounds = 12;
    let report = attack(&args, &Interrupt::listen().unwrap()).await.unwrap();
    assert!(report.is_met(), "{}", report.table());
    assert!(
        report.table().contains("accounts: 1, and so many rounds"),
        "{}",
        report.table()
    );
}

#[tokio::test]
async fn https_is_spoken_with_a_server_whose_authority_is_given() {
    let behaviour = Behaviour::Sound;
    let (endpoint, pem) = Endpoint::start_with_tls(behaviour).await;
    let cases = [Case::Tabs, Case::Dropped];
    let (mut args, _file) = args_for(&endpoint.url, &profile(), behaviour, &cases);
    let interrupt = Interrupt::listen().unwrap();
    let error = attack(&args, &interrupt).await.unwrap_err();
    assert!(format!("{error:#}").contains("set-up"), "{error:#}");
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(ca.path(), pem).unwrap();
    args.ca_file = Some(ca.path().to_owned());
    let report = attack(&args, &interrupt).await.unwrap();
    assert!(report.is_met(), "{}", report.table());
}

#[tokio::test]
async fn a_fault_of_the_set_up_is_named_before_the_first_round() {
    let behaviour = Behaviour::Sound;
    let endpoint = Endpoint::start(behaviour).await;
    let (mut args, _file) = args_for(&endpoint.url, PROFILE, behaviour, &[Case::Tabs]);
    let tokens = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(tokens.path(), "used-up\nused-up-too\n").unwrap();
    args.tokens = Some(tokens.path().to_owned());
    let error = attack(&args, &Interrupt::listen().unwrap())
        .await
        .unwrap_err();
    let error = format!("{error:#}");
    for words in [
        "set-up",
        "OAUTH2_CLIENT_SECRET, OAUTH2_PASSWORD",
        "each can be used once",
        "invalid_grant",
    ] {
        assert!(error.contains(words), "{words}: {error}");
    }
}

#[tokio::test]
async fn a_file_of_tokens_says_how_many_rounds_it_allows_and_which_are_used_up() {
    let behaviour = Behaviour::Sound;
    let endpoint = Endpoint::start(behaviour).await;
    let (mut args, _file) = args_for(&endpoint.url, &profile(), behaviour, &[Case::Tabs]);
    let http = crate::harness::http::HttpClient::new().unwrap();
    let mut lines = vec!["used-up".to_owned()];
    for _ in 0..3 {
        let request =
            crate::harness::http::Request::new("POST", &format!("{}/token", endpoint.url))
                .unwrap()
                .with_body(
                    "application/x-www-form-urlencoded",
                    "grant_type=password".to_owned(),
                );
        let reply = http.send(&request).await.unwrap();
        lines.push(reply.text("/refresh_token").unwrap());
    }
    let tokens = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(tokens.path(), lines.join("\n")).unwrap();
    args.tokens = Some(tokens.path().to_owned());
    let report = attack(&args, &Interrupt::listen().unwrap()).await.unwrap();
    let (total, table) = (report.total(), report.table());
    assert_eq!((total.rounds, total.set_up), (4, 1), "{table}");
    assert_eq!((total.sessions_ended, total.other), (0, 0), "{table}");
    assert!(table.contains("4 rounds and not 8"), "{table}");
    assert!(table.contains("--tokens "), "{table}");
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
    let error = tokio::time::timeout(
        Duration::from_secs(30),
        attack(&args, &Interrupt::listen().unwrap()),
    )
    .await
    .unwrap()
    .unwrap_err();
    assert!(format!("{error:#}").contains("no answer"), "{error:#}");
}
