//! `revolve mail …`: what mails say, and whether they leave.

use super::{answer, refusal::Usage};
use crate::{
    composition::{ConfiguredMailer, mailer, settings},
    config::Config,
};
use anyhow::{Context, Result, bail};
use clap::{
    Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use revolve_adapters::{
    mail::TemplateName,
    system::{SystemClock, SystemEntropy},
};
use revolve_domain::{
    model::{DeliveryId, EmailAddress, Locale},
    ports::Entropy,
};
use std::sync::Arc;

#[derive(Subcommand)]
pub(super) enum MailCommand {
    /// Shows what a mail says, with made-up values
    Preview {
        /// Which mail
        #[arg(value_parser = name_parser())]
        name: TemplateName,
        /// The language of its reader, such as de or de-CH; the first of mail.languages
        #[arg(long)]
        language: Option<Locale>,
        /// Shows it as HTML
        #[arg(long)]
        html: bool,
    },
    /// Sends a mail that says that mail works
    ///
    /// It goes to the mail server at once. Where mails are written into files, so is this one.
    Test {
        /// Where it goes
        address: String,
    },
}

fn name_parser() -> impl TypedValueParser<Value = TemplateName> {
    let names: Vec<_> = TemplateName::all().map(TemplateName::as_str).collect();
    PossibleValuesParser::new(names).try_map(|text| {
        TemplateName::all()
            .find(|name| name.as_str() == text)
            .ok_or("there is no such mail")
    })
}

pub(super) async fn run(config: Config, command: MailCommand) -> Result<()> {
    match command {
        MailCommand::Preview {
            name,
            language,
            html,
        } => {
            let composer = settings::composer(&config)?;
            if let Some(asked) = &language {
                let shown = composer.language(Some(asked));
                let near = |shown: &Locale| shown.language() == asked.language();
                if !shown.parse::<Locale>().is_ok_and(|shown| near(&shown)) {
                    eprintln!("mail.languages has no {asked}: its readers get {shown}");
                }
            }
            let mail = composer.preview(name, language.as_ref())?;
            if html {
                answer::text(&mail.html)
            } else {
                answer::text(&format!("Subject: {}\n\n{}", mail.subject, mail.text))
            }
        }
        MailCommand::Test { address } => test(&config, &address).await,
    }
}

async fn test(config: &Config, address: &str) -> Result<()> {
    let Ok(to) = EmailAddress::parse(address) else {
        bail!(Usage("the address is not a valid e-mail address"));
    };
    let Some(mailer) = mailer(config, Arc::new(SystemClock))? else {
        bail!("no mail server is configured: set mail.url and mail.from");
    };
    let id = DeliveryId::from_random(SystemEntropy.bytes());
    let sent = mailer.send_test(id, &to).await;
    sent.context("no mail was sent")?;
    match mailer {
        ConfiguredMailer::Smtp(_) => answer::text(&format!(
            "The mail server has taken the mail {id}. If it does not arrive, look for its Message-ID in the server's log.\n"
        )),
        ConfiguredMailer::Files(_) => Ok(()),
    }
}
