//! A run: the servers, the cases that can run there, the rounds, the report.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum as _;

use super::{
    accounts::AccountPool,
    args::{Args, StoreChoice},
    cases::Case,
    plan, preflight,
    report::TortureReport,
    round_context::TortureRun,
    rounds,
    servers::ServerGroup,
};
use crate::harness::{
    http::HttpClient,
    interrupt::Interrupt,
    peer::InstalledPeer,
    profile::ServerProfile,
    random,
    service::{Binary, Deployment},
    stores::ServerStores,
    windows::Windows,
};

/// Attacks, reports, and fails if a verdict is not met.
pub(crate) async fn run(args: &Args, interrupt: &Interrupt) -> Result<()> {
    let report = attack(args, interrupt).await?;
    print!("{}", report.table());
    if let Some(file) = &args.json {
        report.write(file)?;
    }
    ensure!(report.is_met(), "a verdict is not met");
    Ok(())
}

pub(super) async fn attack(args: &Args, interrupt: &Interrupt) -> Result<TortureReport> {
    if let Some(name) = &args.peer {
        let installed = InstalledPeer::install(name, interrupt).await?;
        let peer = installed.start(&[], interrupt).await?;
        let profile = ServerProfile::load(Some(&installed.profile()))?;
        let heading = format!("{} ({name})", profile.name);
        let servers = ServerGroup::foreign(heading, args.again(), vec![peer.url.clone()]);
        let run = prepare(args, profile, None)?;
        return run_rounds(args, run, vec![servers], interrupt).await;
    }
    let profile = if args.oauth2 {
        ServerProfile::of_own_oauth2(None)?
    } else {
        ServerProfile::load(args.profile.as_deref())?
    };
    if !args.url.is_empty() {
        return attack_foreign(args, profile, interrupt).await;
    }
    if args.profile.is_some() {
        bail!("--profile needs --url, which says where the server is");
    }
    let run = prepare(args, profile, Some(Windows::SHORT))?;
    eprintln!("building the service");
    let binary = Binary::build(args.release, interrupt).await?;
    let mut groups = Vec::new();
    if args.store != StoreChoice::Server {
        let deployment = Deployment::embedded(&binary, &run.windows, interrupt).await?;
        groups.push(own_group(args, deployment, "embedded").await?);
    }
    if args.store == StoreChoice::Embedded {
        return run_rounds(args, run, groups, interrupt).await;
    }
    let stores = ServerStores::start(&args.stores, "torture", interrupt).await?;
    let outcome = async {
        let deployment = Deployment::server(&binary, &run.windows, &stores, interrupt).await?;
        groups.push(own_group(args, deployment, "server").await?);
        run_rounds(args, run, groups, interrupt).await
    };
    let outcome = outcome.await;
    let stopped = stores.shut_down().await;
    outcome.and_then(|report| stopped.map(|()| report))
}

async fn attack_foreign(
    args: &Args,
    profile: ServerProfile,
    interrupt: &Interrupt,
) -> Result<TortureReport> {
    for url in &args.url {
        ensure!(
            url.starts_with("http://") || url.starts_with("https://"),
            "{url}: the URL of a server begins with http:// or https://"
        );
    }
    let name = format!("{} at {}", profile.name, args.url.join(", "));
    let servers = ServerGroup::foreign(name, args.again(), args.url.clone());
    let run = prepare(args, profile, None)?;
    run_rounds(args, run, vec![servers], interrupt).await
}

async fn own_group(args: &Args, deployment: Deployment, store: &str) -> Result<ServerGroup> {
    let again = format!("--store {store} {}", args.again());
    let group = ServerGroup::own(deployment, &again);
    if args.oauth2 {
        group.by_oauth2().await
    } else {
        Ok(group)
    }
}

/// `short` windows are for our own instances; other servers have those of their profile.
fn prepare(args: &Args, profile: ServerProfile, short: Option<Windows>) -> Result<TortureRun> {
    let windows = args.windows.over(short.unwrap_or(profile.windows));
    let tokens = args.tokens.as_deref().map(read_tokens).transpose()?;
    let own = tokens.is_some() || profile.sign_up.is_some();
    let accounts = if own {
        Vec::new()
    } else {
        profile.accounts.clone()
    };
    let https = args.ca_file.is_some() || args.url.iter().any(|url| url.starts_with("https:"));
    Ok(TortureRun {
        accounts: AccountPool::new(accounts),
        profile: Arc::new(profile),
        http: if https {
            HttpClient::with_tls(args.ca_file.as_deref())?
        } else {
            HttpClient::new()?
        },
        windows,
        patience: args.patience,
        nonce: random::nonce(),
        tokens: tokens.map(Mutex::new),
    })
}

fn read_tokens(file: &Path) -> Result<Vec<String>> {
    let text =
        fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    Ok(text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}

async fn run_rounds(
    args: &Args,
    run: TortureRun,
    groups: Vec<ServerGroup>,
    interrupt: &Interrupt,
) -> Result<TortureReport> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let mut report = TortureReport::new(seed, args.whole(seed));
    let mut runnable = Vec::new();
    let mut count = args.rounds;
    let mut general: Vec<String> = preflight::unset(&run).into_iter().collect();
    if let Some(tokens) = &run.tokens {
        // Each is used in one round.
        let there = tokens.lock().unwrap_or_else(PoisonError::into_inner).len();
        if there < count {
            general.push(format!(
                "{there} rounds and not {count}: --tokens has a token for each of so many"
            ));
            count = there;
        }
    }
    if run.accounts.is_some() {
        general.push(format!(
            "accounts: {}, and so many rounds at a time at most",
            run.profile.accounts.len()
        ));
    }
    for servers in &groups {
        let (mut cases, mut notes) = (Vec::new(), general.clone());
        for &case in Case::value_variants() {
            if !args.only.is_empty() && !args.only.contains(&case) {
                continue;
            }
            if let Some(obstacle) = case.obstacle(&run, servers) {
                notes.push(format!("skipped: {}: {obstacle}", case.name()));
                continue;
            }
            let partial = case.partial_obstacle(&run);
            notes.extend(partial.map(|what| format!("skipped in part: {}: {what}", case.name())));
            cases.push(case);
        }
        report.add_part(&servers.name, &cases, notes);
        runnable.push(cases);
    }
    eprintln!("seed {seed}");
    for note in &general {
        eprintln!("{note}");
    }
    let rounds = plan::draw(seed, count, &runnable);
    let (run, groups) = (
        Arc::new(run),
        groups.into_iter().map(Arc::new).collect::<Vec<_>>(),
    );
    for (servers, _) in groups
        .iter()
        .zip(&runnable)
        .filter(|(_, cases)| !cases.is_empty())
    {
        interrupt.guard(preflight::check(&run, servers)).await?;
    }
    let stages = plan::stages(rounds, &args.parallel);
    rounds::run(&run, &groups, stages, args.verbose, &mut report, interrupt).await?;
    if !report.is_met() {
        for line in groups.iter().flat_map(|servers| servers.last_log_lines()) {
            eprintln!("log: {line}");
        }
    }
    Ok(report)
}
