//! `revolve user import`: many rows are in flight at once, so that the store can commit them in groups. A bad row is reported
//! with its number and does not stop the others.

mod lines;
mod probe;
mod report;
mod row;

use super::patience::again;
use crate::{
    composition::{Purpose, import_account, settings},
    config::{Config, Profile},
};
use anyhow::{Context, Result, anyhow, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use futures_util::{StreamExt, stream::FuturesUnordered};
use lines::{Input, Line};
use report::Report;
use revolve_adapters::{argon2::BareFormat, system::SystemClock};
use revolve_domain::{
    model::EmailAddress,
    ports::Clock,
    use_cases::{Failure, ImportAccount, ImportOutcome, ImportRequest},
};
use revolve_observe::telemetry::chain;
use row::{RowRefusal, Rows};
use std::path::PathBuf;

/// So many rows are on their way to the embedded store: what it commits in one group.
const GROUP: usize = 256;

/// Arguments of `revolve user import`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A file of JSON lines; `-` for standard input.
    file: PathBuf,
    /// The first line to look at, counted from 1.
    #[arg(long, value_name = "N", default_value_t = 1)]
    from_line: u64,
    /// Checks every row, also against the store, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// What hashes are that do not say it themselves; those that do may be among them
    ///
    /// scrypt-hex-salt: hex(hash).hex(salt), N=32768 r=8 p=1, the salt in bytes (Go). scrypt-text-salt: hex(hash).salt, N=16384 r=8 p=1, the
    /// salt as text (Node).
    #[arg(long, value_name = "NAME", value_parser = bare_format())]
    format: Option<BareFormat>,
    /// Checks one password, which is asked for, against this account's row before anything is imported
    #[arg(long, value_name = "EMAIL", value_parser = EmailAddress::present)]
    probe: Option<EmailAddress>,
    /// The summary as JSON.
    #[arg(long)]
    json: bool,
}

fn bare_format() -> impl TypedValueParser<Value = BareFormat> {
    let names = BareFormat::ALL.iter().map(|format| format.name());
    PossibleValuesParser::new(names).map(|name| {
        let named = BareFormat::ALL.iter().find(|format| format.name() == name);
        *named.expect("only its names are possible values")
    })
}

/// What became of a row.
type Done = (u64, Result<ImportOutcome, Failure>);

pub(super) async fn run(config: Config, args: &Args) -> Result<()> {
    if let Some(email) = &args.probe {
        probe::run(&config, args, email).await?;
    }
    let input = Input::open(&args.file).with_context(|| args.file.display().to_string())?;
    let mut rows = rows(&config, args);
    let import = import_account(
        &config,
        if args.dry_run {
            Purpose::Read
        } else {
            Purpose::Change
        },
    )
    .await?;
    let room = match config.profile {
        Profile::Embedded => GROUP,
        // Two for each connection: more would only wait for one, on the statement's time.
        Profile::Server => config.postgres.pool_size * 2,
    };
    drop(config);
    let mut report = Report::new(args.dry_run, input.bytes());
    let mut lines = input.lines();
    let mut in_flight = FuturesUnordered::new();
    let (mut more, mut failed): (bool, Option<(u64, Failure)>) = (true, None);
    let mut unreadable = None;
    loop {
        tokio::select! {
            biased;
            Some((number, outcome)) = in_flight.next(), if !in_flight.is_empty() => match outcome {
                Ok(outcome) => report.outcome(number, outcome),
                Err(failure) => {
                    // What else is on its way may still come through; nothing new is begun.
                    more = false;
                    if failed.as_ref().is_none_or(|(first, _)| number < *first) {
                        failed = Some((number, failure));
                    }
                }
            },
            line = lines.recv(), if more && in_flight.len() < room => match line {
                None => more = false,
                Some(Err(error)) => {
                    // What was read counts.
                    more = false;
                    unreadable = Some(error);
                }
                Some(Ok(line)) => {
                    report.read(line.bytes);
                    match look(&mut rows, &line, args.from_line) {
                        None => {}
                        Some(Ok(request)) => in_flight.push(carry_out(import.clone(), line.number, request, args.dry_run)),
                        Some(Err(refusal)) => report.refuse(line.number, refusal),
                    }
                }
            },
            else => break,
        }
    }
    let refused = report.finish(args.json)?;
    if let Some((line, failure)) = failed {
        bail!(
            "line {line} could not be written: {}; go on with --from-line {line}",
            chain(&failure)
        );
    }
    if let Some(error) = unreadable {
        return Err(anyhow!(error).context(format!("{} ended early", args.file.display())));
    }
    if refused > 0 {
        bail!(
            "{refused} {} refused",
            if refused == 1 { "row was" } else { "rows were" }
        );
    }
    Ok(())
}

fn rows(config: &Config, args: &Args) -> Rows {
    let bounds = settings::hash_bounds(&config.hashing);
    Rows::new(bounds, args.format, SystemClock.now())
}

/// `None` for lines that are none of ours: those before the first one, and empty ones.
fn look(rows: &mut Rows, line: &Line, from: u64) -> Option<Result<ImportRequest, RowRefusal>> {
    if line.number < from || line.is_blank() {
        return None;
    }
    Some(match &line.text {
        Some(text) => rows.parse(line.number, text),
        None => Err(RowRefusal::new(
            "too_long",
            format!("the line is longer than {} bytes", Line::MAX),
        )),
    })
}

async fn carry_out(
    import: ImportAccount,
    line: u64,
    request: ImportRequest,
    dry_run: bool,
) -> Done {
    match again(async || {
        if dry_run {
            import.rehearse(&request).await
        } else {
            import.execute(&request).await
        }
    })
    .await
    {
        // It may have been written by a try whose answer was lost.
        (Ok(ImportOutcome::Present), true) if !dry_run => (line, Ok(ImportOutcome::Imported)),
        (outcome, _) => (line, outcome),
    }
}
