//! `revolve user export`: what `user import` reads. Accounts are read page by page by id, so that memory does not grow with their number
//! and an account that changes its address meanwhile is neither missed nor written twice.

use super::{account::precise, patience::patiently};
use crate::{
    cli::{answer, signals::Signals},
    composition::{Purpose, operator_tools},
    config::Config,
};
use anyhow::{Context, Result, bail};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use revolve_adapters::argon2::marked;
use revolve_domain::{
    model::{AppData, Credentials, HashKind, Label, Locale, Roles, WebUrl},
    ports::AccountDirectory,
};
use serde::Serialize;
use std::{
    io::{self, BufWriter, ErrorKind, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tempfile::NamedTempFile;
use tokio::signal::unix::{SignalKind, signal};

/// How many accounts are read at once.
const PAGE: u32 = 500;

/// Arguments of `revolve user export`.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The file to make, for you alone (mode 0600), complete or not at all; `-` for standard output
    file: PathBuf,
    /// The summary as JSON; on standard error if the accounts are on standard output
    #[arg(long)]
    json: bool,
}

/// A row as `user import` reads it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountRow<'a> {
    uid: String,
    email: &'a str,
    /// In a form that says what it is; an earlier release stored some that do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
    /// Only the former system knows the password.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    verifier: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    locale: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    email_verified: bool,
    #[serde(skip_serializing_if = "Roles::is_empty")]
    roles: &'a Roles,
    #[serde(skip_serializing_if = "AppData::is_empty")]
    app: &'a AppData,
    created_at: String,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disabled: bool,
}

impl<'a> From<&'a Credentials> for AccountRow<'a> {
    fn from(Credentials { user, hash, .. }: &'a Credentials) -> Self {
        let kind = hash.kind();
        let password_hash = (kind == HashKind::Hash).then(|| marked(hash).expose().to_owned());
        Self {
            uid: user.id.to_string(),
            email: user.email.as_str(),
            password_hash,
            verifier: kind == HashKind::Legacy,
            name: user.details.name.as_ref().map(Label::as_str),
            website: user.details.website.as_ref().map(WebUrl::as_str),
            image_url: user.details.image_url.as_ref().map(WebUrl::as_str),
            locale: user.details.locale.as_ref().map(Locale::as_str),
            email_verified: user.email_verified_at.is_some(),
            roles: &user.roles,
            app: &user.app,
            created_at: precise(user.created_at),
            disabled: user.disabled_at.is_some(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExportSummary {
    accounts: u64,
    seconds: f64,
}

pub(super) async fn run(config: &Config, args: &Args) -> Result<()> {
    let piped = args.file == Path::new("-");
    if !piped
        && args
            .file
            .try_exists()
            .with_context(|| args.file.display().to_string())?
    {
        bail!("{} is there already", args.file.display());
    }
    let directory = operator_tools(config, Purpose::Read).await?.directory;
    if piped {
        return export(
            &*directory,
            args,
            Out::Standard(BufWriter::new(io::stdout())),
        )
        .await;
    }
    // From here on there is a file with hashes: nothing may end the process before it has its name, or is gone.
    let mut signals = Signals::listen()?;
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP can't be listened for")?;
    let out = Out::draft(&args.file)?;
    tokio::select! {
        exported = export(&*directory, args, out) => exported,
        () = signals.next() => bail!(STOPPED),
        _ = hangup.recv() => bail!(STOPPED),
    }
}

const STOPPED: &str = "told to stop: nothing was exported";

async fn export(directory: &dyn AccountDirectory, args: &Args, mut out: Out) -> Result<()> {
    let piped = matches!(out, Out::Standard(_));
    let bar = ProgressBar::new_spinner();
    bar.set_style(
        ProgressStyle::with_template("{spinner} {msg}  {elapsed}")
            .unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar.enable_steady_tick(Duration::from_millis(200));
    let (begun, mut accounts, mut after) = (Instant::now(), 0, None);
    loop {
        let page = patiently(async || directory.walk(after, PAGE).await).await?;
        for found in &page {
            match out.line(&AccountRow::from(found)) {
                Err(error) if piped && error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written.with_context(|| args.file.display().to_string())?,
            }
        }
        accounts += page.len() as u64;
        bar.set_message(format!("{} accounts", HumanCount(accounts)));
        let Some(last) = page.last().filter(|_| page.len() as u64 == u64::from(PAGE)) else {
            break;
        };
        after = Some(last.user.id);
    }
    bar.finish_and_clear();
    out.finish(&args.file)?;
    let seconds = begun.elapsed().as_secs_f64();
    let said = if args.json {
        serde_json::to_string_pretty(&ExportSummary { accounts, seconds })?
    } else {
        let noun = if accounts == 1 { "account" } else { "accounts" };
        format!(
            "{accounts} {noun} exported in {seconds:.1} s; anyone who has the hashes can try to guess the passwords: keep the file safe"
        )
    };
    if piped {
        eprintln!("{said}");
        return Ok(());
    }
    answer::text(&format!("{said}\n"))
}

/// Where rows go.
enum Out {
    Standard(BufWriter<io::Stdout>),
    /// A file beside the one that is to be made, for its owner alone; it goes if it is not finished, unless the process is killed.
    Draft(BufWriter<NamedTempFile>),
}

impl Out {
    fn draft(file: &Path) -> Result<Self> {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let draft = tempfile::Builder::new()
            .prefix(".export-")
            .tempfile_in(folder);
        Ok(Self::Draft(BufWriter::new(draft.with_context(|| {
            format!("{} can't be made", file.display())
        })?)))
    }

    fn line(&mut self, row: &AccountRow<'_>) -> io::Result<()> {
        let out: &mut dyn Write = match self {
            Self::Standard(out) => out,
            Self::Draft(out) => out,
        };
        serde_json::to_writer(&mut *out, row)?;
        out.write_all(b"\n")
    }

    /// On the disk, then under its name, unless there is such a file meanwhile.
    fn finish(self, file: &Path) -> Result<()> {
        let context = || format!("{} can't be made", file.display());
        match self {
            Self::Standard(mut out) => match out.flush() {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                    Err(error).context("standard output can't be written to")
                }
                _ => Ok(()),
            },
            Self::Draft(out) => {
                let draft = out
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)
                    .with_context(context)?;
                draft.as_file().sync_all().with_context(context)?;
                draft.persist_noclobber(file).with_context(context)?;
                Ok(())
            }
        }
    }
}
