//! `--probe`: whether a password that somebody knows matches the row of its account. A hash can be read the wrong way without a trace (a salt
//! taken for bytes or for text, another cost): every row is imported, and nobody can sign in.

use super::{Args, Input, rows};
use crate::{cli::user::password, composition::argon2, config::Config};
use anyhow::{Context, Result, bail};
use revolve_adapters::system::SystemEntropy;
use revolve_domain::{
    model::{EmailAddress, Password, PasswordHash},
    ports::{HashFlow, PasswordCheck, PasswordHasher},
};
use std::{path::Path, sync::Arc};
use tokio::task::spawn_blocking;

/// Says that it matches.
///
/// # Errors
/// If it doesn't, or there is no such row.
pub(super) async fn run(config: &Config, args: &Args, email: &EmailAddress) -> Result<()> {
    if args.file == Path::new("-") {
        bail!("--probe reads the rows twice, so they must be in a file and not on standard input");
    }
    let (place, hash) = find(config, args, email).await?;
    let prompt = format!("password of {}: ", email.as_str());
    let text = spawn_blocking(move || password::present(&prompt)).await??;
    let password = Password::present(&text).context("the password")?;
    let hasher = argon2(config, Arc::new(SystemEntropy))?;
    let flow = HashFlow {
        account: email.clone(),
        address: None,
        known: true,
    };
    match hasher.check(&flow, &password, Some(&hash)).await? {
        PasswordCheck::Match { .. } => {
            eprintln!("the password matches the hash on {place}");
            Ok(())
        }
        PasswordCheck::Mismatch => bail!(
            "the password does not match the hash on {place}: it is another password, or the hash was made in another way than it is read \
             (see --format); nothing was imported"
        ),
    }
}

/// The first row of the account that is fit to be imported.
async fn find(
    config: &Config,
    args: &Args,
    email: &EmailAddress,
) -> Result<(String, PasswordHash)> {
    let name = args.file.display();
    let input = Input::open(&args.file, args.format).with_context(|| name.to_string())?;
    let unit = input.unit();
    let mut rows = rows(config, args, unit)?;
    let mut records = input.records();
    while let Some(record) = records.recv().await {
        let record = record.with_context(|| format!("{name} ended early"))?;
        let number = record.number;
        if number >= args.from_line
            && let Ok(Some(row)) = rows.parse(record)
            && row.request.email == *email
        {
            if !row.has_password() {
                bail!("{unit} {number} has no password hash");
            }
            return Ok((format!("{unit} {number}"), row.request.hash));
        }
    }
    bail!(
        "{name} has no row of {} that can be imported; --dry-run says what is wrong with rows",
        email.as_str()
    );
}
