//! `cargo xtask torture`: a black-box client that attacks running instances of the service as bad networks, many tabs, thieves and failing
//! stores do, and keeps score. It knows nothing but the HTTP API (by a profile, so that it can attack other servers as well) and the
//! windows that the service promises.

mod args;
pub(crate) mod cases;
mod plan;
mod report;
mod round_context;
mod rounds;
#[cfg(test)]
mod tests;
pub(crate) mod verdict;

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum as _;
use url::Url;

pub(crate) use self::args::Args;
use self::{args::Choice, cases::Case, report::Report, round_context::Run};
use crate::harness::{
    http,
    interrupt::Interrupt,
    profile::Profile,
    service::{Binary, Site},
    stores::{Store, Stores, schema::Schema},
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

async fn attack(args: &Args, interrupt: &Interrupt) -> Result<Report> {
    let profile = Profile::load(args.profile.as_deref())?;
    if !args.url.is_empty() {
        for url in &args.url {
            ensure!(
                url.starts_with("http://"),
                "{url}: the kit speaks plain http:// only"
            );
        }
        let mut again = args
            .url
            .iter()
            .map(|url| format!("--url {url}"))
            .collect::<Vec<_>>()
            .join(" ");
        if let Some(file) = &args.profile {
            let _ = write!(again, " --profile {}", file.display());
        }
        let site = Site::foreign(
            format!("{} at {}", profile.name, args.url.join(", ")),
            again,
            args.url.clone(),
        );
        let run = prepare(args, profile, None)?;
        return play(args, run, vec![site], interrupt).await;
    }
    if args.profile.is_some() {
        bail!("with --profile, say by --url where the server is");
    }
    let run = prepare(args, profile, Some(Windows::SHORT))?;
    eprintln!("building the service");
    let binary = Binary::build(args.release, interrupt).await?;
    let stores = match args.store {
        Choice::Embedded => None,
        Choice::Server | Choice::Both => Some(Stores::start(&args.stores, false, interrupt).await?),
    };
    let outcome = own(args, run, &binary, stores.as_ref(), interrupt).await;
    if let Some(stores) = stores {
        stores.shut_down().await;
    }
    outcome
}

/// Plays on instances of our own over the stores.
async fn own(
    args: &Args,
    run: Run,
    binary: &Binary,
    stores: Option<&Stores>,
    interrupt: &Interrupt,
) -> Result<Report> {
    let Some(stores) = stores else {
        return on_both(args, run, binary, None, interrupt).await;
    };
    let url = |scheme: &str| -> Result<Url> {
        let found = stores
            .running
            .iter()
            .map(Store::url)
            .find(|url| url.starts_with(scheme));
        found
            .with_context(|| format!("{scheme} was not started"))?
            .parse()
            .with_context(|| format!("the URL of {scheme} is none"))
    };
    let (redis, postgres) = (url("redis")?, url("postgres")?);
    let schema = Schema::create(&postgres, format!("torture_{}", run.nonce)).await?;
    let outcome = on_both(args, run, binary, Some((&redis, &schema.url())), interrupt).await;
    let removed = schema.remove().await;
    outcome.and_then(|report| removed.map(|()| report))
}

async fn on_both(
    args: &Args,
    run: Run,
    binary: &Binary,
    stores: Option<(&Url, &Url)>,
    interrupt: &Interrupt,
) -> Result<Report> {
    let cases = chosen(args);
    let mut sites = Vec::new();
    if args.store != Choice::Server {
        sites.push(
            Site::embedded(binary, &run.windows, &cases, interrupt)
                .await
                .context("the embedded store")?,
        );
    }
    if let Some(stores) = stores {
        sites.push(
            Site::server(binary, &run.windows, &cases, stores, interrupt)
                .await
                .context("the server stores")?,
        );
    }
    play(args, run, sites, interrupt).await
}

/// What all rounds share; `short` windows are for our own instances.
fn prepare(args: &Args, profile: Profile, short: Option<Windows>) -> Result<Run> {
    let windows = args.windows.over(short.unwrap_or(profile.windows));
    let tokens = args.tokens.as_deref().map(read_tokens).transpose()?;
    let nonce: String = crate::secrets::random()?
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    Ok(Run {
        profile: Arc::new(profile),
        http: http::http()?,
        windows,
        patience: args.patience,
        nonce: nonce.to_lowercase(),
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

fn chosen(args: &Args) -> Vec<Case> {
    Case::value_variants()
        .iter()
        .copied()
        .filter(|case| args.only.is_empty() || args.only.contains(case))
        .collect()
}

async fn play(args: &Args, run: Run, sites: Vec<Site>, interrupt: &Interrupt) -> Result<Report> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let mut report = Report::new(seed);
    let mut playable = Vec::new();
    for site in &sites {
        let (mut cases, mut notes) = (Vec::new(), Vec::new());
        for case in chosen(args) {
            if let Some(obstacle) = case.obstacle(&run, site) {
                notes.push(format!("{}: {obstacle}", case.name()));
            } else {
                notes.extend(
                    case.partly(&run, site)
                        .map(|what| format!("{}, in part: {what}", case.name())),
                );
                cases.push(case);
            }
        }
        report.part(&site.name, &cases, notes);
        playable.push(cases);
    }
    eprintln!("seed {seed}");
    let mut count = args.rounds;
    if let Some(tokens) = &run.tokens {
        // Each is worth one round.
        count = count.min(tokens.lock().unwrap_or_else(PoisonError::into_inner).len());
    }
    let rounds = plan::draw(seed, count, &playable);
    let (run, sites) = (
        Arc::new(run),
        sites.into_iter().map(Arc::new).collect::<Vec<_>>(),
    );
    rounds::play(
        &run,
        &sites,
        rounds,
        (args.parallel, args.verbose),
        &mut report,
        interrupt,
    )
    .await?;
    if !report.is_met() {
        for complaint in sites.iter().flat_map(|site| site.complaints()) {
            eprintln!("the service said: {complaint}");
        }
    }
    Ok(report)
}
