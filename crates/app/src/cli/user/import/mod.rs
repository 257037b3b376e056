//! `revolve user import`: many rows are in flight at once, so that the store can commit them in groups. A bad row is reported
//! with its number and does not stop the others.

mod format;
mod input;
mod probe;
mod report;
mod row;
mod systems;

use super::patience::again;
use crate::{
    cli::refusal::Usage,
    composition::{Purpose, import_account, settings},
    config::{Config, Profile},
};
use anyhow::{Context, Result, anyhow, bail};
use format::Format;
use futures_util::{StreamExt, stream::FuturesUnordered};
use input::{Input, InputError};
use report::Report;
use revolve_adapters::system::SystemClock;
use revolve_domain::{
    model::EmailAddress,
    ports::Clock,
    use_cases::{Failure, ImportAccount, ImportOutcome},
};
use revolve_observe::telemetry::chain;
use row::{Row, Rows, Rules};
use std::path::PathBuf;
use systems::{Reader, hash_config};

/// So many rows are on their way to the embedded store: what it commits in one group.
const GROUP: usize = 256;

/// Arguments of `revolve user import`.
#[derive(Clone, Debug, clap::Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "options of a command line are on or off"
)]
pub(in crate::cli) struct Args {
    /// The file of accounts; `-` for standard input.
    file: PathBuf,
    /// The first line to look at, counted from 1; in a JSON document the first account
    #[arg(long, value_name = "N", default_value_t = 1)]
    from_line: u64,
    /// Checks every row, also against the store, and changes nothing.
    #[arg(long)]
    dry_run: bool,
    /// The system that wrote the file, or what hashes are that do not say it themselves
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    format: Format,
    /// The hash parameters of the Firebase project, as its console shows them
    #[arg(long, value_name = "FILE")]
    hash_config: Option<PathBuf>,
    /// Imports an account whose hash can't be checked here without a password; otherwise it is refused
    #[arg(long)]
    drop_hashes: bool,
    /// Asks `import.verifier` for the passwords of accounts without a hash, each until it has confirmed one
    #[arg(long)]
    verifier: bool,
    /// Checks one password, which is asked for, against this account's row before anything is imported
    #[arg(long, value_name = "EMAIL", value_parser = EmailAddress::present)]
    probe: Option<EmailAddress>,
    /// The summary as JSON.
    #[arg(long)]
    json: bool,
}

/// What became of a row.
type Done = (u64, Row, Result<ImportOutcome, Failure>);

pub(super) async fn run(config: Config, args: &Args) -> Result<()> {
    if args.hash_config.is_some() && args.format != Format::Firebase {
        bail!(
            "--hash-config has the parameters of a Firebase project; it goes with --format firebase"
        );
    }
    if args.format == Format::Firebase && args.hash_config.is_none() && !args.drop_hashes {
        return Err(Usage(
            "--format firebase needs --hash-config, or --drop-hashes to import without passwords",
        )
        .into());
    }
    if args.verifier && config.verifier()?.given().is_none() {
        eprintln!(
            "import.verifier is not set: until it is, nobody can sign in to accounts without a hash"
        );
    }
    if let Some(email) = &args.probe {
        probe::run(&config, args, email).await?;
    }
    let input =
        Input::open(&args.file, args.format).with_context(|| args.file.display().to_string())?;
    let unit = input.unit();
    let mut rows = rows(&config, args, unit)?;
    let import = import_account(
        &config,
        if args.dry_run {
            Purpose::Read
        } else {
            Purpose::Create
        },
    )
    .await?;
    let room = match config.profile {
        Profile::Embedded => GROUP,
        // Two for each connection: more would only wait for one, on the statement's time.
        Profile::Server => config.postgres.pool_size * 2,
    };
    drop(config);
    let mut report = Report::new(args.dry_run, unit, input.bytes());
    let mut records = input.records();
    let mut in_flight = FuturesUnordered::new();
    let (mut more, mut failed): (bool, Option<(u64, Failure)>) = (true, None);
    let mut unreadable = None;
    loop {
        tokio::select! {
            biased;
            Some((number, row, outcome)) = in_flight.next(), if !in_flight.is_empty() => match outcome {
                Ok(outcome) => report.outcome(number, &row, outcome),
                Err(failure) => {
                    // What else is on its way may still come through; nothing new is begun.
                    more = false;
                    if failed.as_ref().is_none_or(|(first, _)| number < *first) {
                        failed = Some((number, failure));
                    }
                }
            },
            record = records.recv(), if more && in_flight.len() < room => match record {
                None => more = false,
                Some(Err(error)) => {
                    // What was read counts.
                    more = false;
                    unreadable = Some(error);
                }
                Some(Ok(record)) => {
                    report.read(record.bytes);
                    let number = record.number;
                    if number < args.from_line {
                        continue;
                    }
                    match rows.parse(record) {
                        Ok(None) => report.other(),
                        Ok(Some(row)) => in_flight.push(carry_out(import.clone(), number, row, args.dry_run)),
                        Err(refusal) => report.refuse(number, refusal),
                    }
                }
            },
            else => break,
        }
    }
    let is_foreign = args.format == Format::default() && report.has_only_foreign_rows();
    let refused = report.finish(args.json)?;
    if let Some((number, failure)) = failed {
        bail!(
            "{unit} {number} could not be written: {}; go on with --from-line {number}",
            chain(&failure)
        );
    }
    if let Some(error) = unreadable {
        return Err(ended_early(error, args));
    }
    if refused > 0 {
        let rows = if refused == 1 { "row was" } else { "rows were" };
        let hint = if is_foreign {
            ": if another system wrote the file, name it with --format, such as --format auth0"
        } else {
            ""
        };
        bail!("{refused} {rows} refused{hint}");
    }
    Ok(())
}

fn ended_early(error: InputError, args: &Args) -> anyhow::Error {
    let name = args.file.display();
    match error.next() {
        Some(next) => anyhow!(
            "{name}: {error}; what comes before was read. Go on with the whole file and --from-line {next}"
        ),
        None if error.is_of_the_file() => anyhow!("{name}: {error}"),
        None => anyhow!(error).context(format!("{name} ended early")),
    }
}

fn rows(config: &Config, args: &Args, unit: &'static str) -> Result<Rows> {
    Ok(Rows::new(Rules {
        reader: Reader {
            format: args.format,
            project: args.hash_config.as_deref().map(hash_config).transpose()?,
            now: SystemClock.now().to_datetime(),
        },
        bounds: settings::hash_bounds(&config.hashing),
        drops_hashes: args.drop_hashes,
        asks_verifier: args.verifier,
        unit,
    }))
}

async fn carry_out(import: ImportAccount, number: u64, row: Row, dry_run: bool) -> Done {
    let (outcome, before) = again(async || {
        if dry_run {
            import.rehearse(&row.request).await
        } else {
            import.execute(&row.request).await
        }
    })
    .await;
    match outcome {
        // It may have been written by a try whose answer was lost.
        Ok(ImportOutcome::Present) if before && !dry_run => {
            (number, row, Ok(ImportOutcome::Imported))
        }
        outcome => (number, row, outcome),
    }
}
