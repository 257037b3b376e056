//! Messages (RFC 5322) with a text and its HTML alternative.

use super::{
    address::{AddressError, address, mailbox},
    links::{MailLinks, needs_code},
    sample::{Extent, sample},
    templates::{RenderedMail, TemplateError, TemplateName, Templates},
    variables::{of_test, variables},
};
use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use revolve_domain::{
    model::{DeliveryId, EmailAddress, Locale, Timestamp},
    ports::{Mail, MailError},
};
use std::{
    path::PathBuf,
    time::{Duration, UNIX_EPOCH},
};

/// Who writes mails, and how.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// The sender: `accounts@example.org`, or with a name `Example <accounts@example.org>`. The name, or else the domain, is what mails call
    /// the service.
    pub from: String,
    /// Where answers go, in the same form, if not to the sender.
    pub reply_to: Option<String>,
    /// Where links lead.
    pub links: MailLinks,
    /// A folder with templates in place of those that are built in.
    pub templates: Option<PathBuf>,
    /// The languages that mails are written in, the service's own first; at least one.
    pub languages: Vec<Locale>,
}

/// The settings can't be used. Each message begins with the key that is wrong.
#[derive(Debug, thiserror::Error)]
pub enum MailConfigError {
    /// The sender is no address.
    #[error("from: it is no address such as \"Example <accounts@example.org>\"")]
    From(#[source] AddressError),
    /// The address for answers is none.
    #[error("reply_to: it is no address such as \"Example <support@example.org>\"")]
    ReplyTo(#[source] AddressError),
    /// No language is named.
    #[error("languages: name at least one, such as \"en\"")]
    NoLanguage,
    /// A template is wrong.
    #[error("templates: {0}")]
    Template(#[from] TemplateError),
}

/// A mail can't be written.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// Its address is none that mail can be sent to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A template fails.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A header or a body is not one.
    #[error("the message can't be built")]
    Message(#[from] lettre::error::Error),
}

/// A message and its envelope.
pub(crate) struct OutgoingMessage {
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) rendered: RenderedMail,
    pub(crate) data: Vec<u8>,
}

/// Writes mails.
#[derive(Debug)]
pub struct Composer {
    from: Mailbox,
    reply_to: Option<Mailbox>,
    service: String,
    links: MailLinks,
    templates: Templates,
}

impl Composer {
    /// Reads everything. Where a folder has templates each is rendered once with all that a mail can have, and once with as little; those that
    /// are built in are right.
    ///
    /// # Errors
    /// [`MailConfigError`].
    pub fn new(config: MailConfig) -> Result<Self, MailConfigError> {
        let from = mailbox(&config.from).map_err(MailConfigError::From)?;
        let reply_to = config.reply_to.as_deref().map(mailbox).transpose();
        let reply_to = reply_to.map_err(MailConfigError::ReplyTo)?;
        if config.languages.is_empty() {
            return Err(MailConfigError::NoLanguage);
        }
        let service = from.name.as_deref().unwrap_or(from.email.domain());
        let has_folder = config.templates.is_some();
        let composer = Self {
            service: service.to_owned(),
            from,
            reply_to,
            links: config.links,
            templates: Templates::load(config.templates.as_deref(), config.languages)?,
        };
        if has_folder {
            composer.check()?;
        }
        Ok(composer)
    }

    /// The sender's domain: the name by which a client greets a server, and the right side of each `Message-ID`.
    pub(crate) fn domain(&self) -> &str {
        self.from.email.domain()
    }

    /// The sender.
    #[cfg(feature = "smtp")]
    pub(crate) fn sender(&self) -> &Address {
        &self.from.email
    }

    /// The language of mails for a reader: theirs, or the service's own if mails are not written in it.
    pub fn language(&self, reader: Option<&Locale>) -> &str {
        self.templates.language(reader)
    }

    /// What a mail of this name says to Ann, in the language that is nearest to this one.
    ///
    /// # Errors
    /// [`TemplateError`].
    pub fn preview(
        &self,
        name: TemplateName,
        locale: Option<&Locale>,
    ) -> Result<RenderedMail, TemplateError> {
        self.sampled(name, self.templates.language(locale), Extent::Whole)
    }

    pub(crate) fn message(
        &self,
        mail: &Mail,
        now: Timestamp,
    ) -> Result<OutgoingMessage, ComposeError> {
        let rendered = self.render(mail)?;
        self.outgoing(mail.id, &mail.to, rendered, now)
    }

    /// The message that shows an operator that mail works.
    pub(crate) fn test(
        &self,
        id: DeliveryId,
        to: &EmailAddress,
        now: Timestamp,
    ) -> Result<OutgoingMessage, ComposeError> {
        let language = self.templates.language(None);
        let variables = of_test(to.as_str(), language, &self.service);
        let rendered = self
            .templates
            .render(TemplateName::Test, language, &variables)?;
        self.outgoing(id, to, rendered, now)
    }

    fn render(&self, mail: &Mail) -> Result<RenderedMail, TemplateError> {
        let language = self.templates.language(mail.locale.as_ref());
        let variables = variables(mail, language, &self.service, &self.links);
        self.templates
            .render(TemplateName::Kind(mail.kind), language, &variables)
    }

    fn outgoing(
        &self,
        id: DeliveryId,
        to: &EmailAddress,
        rendered: RenderedMail,
        now: Timestamp,
    ) -> Result<OutgoingMessage, ComposeError> {
        let (from, to) = (self.from.email.clone(), address(to.as_str())?);
        let written =
            UNIX_EPOCH + Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or_default());
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let mut builder = Message::builder()
            .envelope(Envelope::new(Some(from.clone()), vec![to.clone()])?)
            .from(self.from.clone())
            .to(to.clone().into())
            .subject(rendered.subject.clone())
            .date(written)
            .message_id(Some(format!("<{id}@{}>", self.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let (text, html) = (rendered.text.clone(), rendered.html.clone());
        let message = builder.multipart(MultiPart::alternative_plain_html(text, html))?;
        Ok(OutgoingMessage {
            data: message.formatted(),
            from,
            to,
            rendered,
        })
    }

    fn check(&self) -> Result<(), TemplateError> {
        for language in self.templates.languages() {
            for name in TemplateName::all() {
                for extent in [Extent::Bare, Extent::Whole] {
                    let rendered = self.sampled(name, language.as_str(), extent)?;
                    self.says_enough(name, language, &rendered)?;
                }
            }
        }
        Ok(())
    }

    /// A mail without a subject looks like spam, and one that is there for a code needs it.
    fn says_enough(
        &self,
        name: TemplateName,
        language: &Locale,
        rendered: &RenderedMail,
    ) -> Result<(), TemplateError> {
        let wrong = |form: &str, message: &str| {
            let file = format!("{language}/{}.{form}", name.as_str());
            Err(TemplateError::Wrong {
                place: self.templates.place(&file),
                message: message.to_owned(),
            })
        };
        if rendered.subject.is_empty() {
            return wrong("txt", "its block `subject` is empty");
        }
        let proves = matches!(name, TemplateName::Kind(kind) if needs_code(kind));
        for (form, text) in [("txt", &rendered.text), ("html", &rendered.html)] {
            // It may be written in groups.
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            if proves && !digits.contains("123456") {
                return wrong(form, "it does not show `code`, which its reader needs");
            }
        }
        Ok(())
    }

    fn sampled(
        &self,
        name: TemplateName,
        language: &str,
        extent: Extent,
    ) -> Result<RenderedMail, TemplateError> {
        let links = match extent {
            Extent::Whole => self.links.clone(),
            Extent::Bare => MailLinks::default(),
        };
        let variables = match name {
            TemplateName::Kind(kind) => {
                variables(&sample(kind, extent), language, &self.service, &links)
            }
            TemplateName::Test => of_test("ann@example.org", language, &self.service),
        };
        self.templates.render(name, language, &variables)
    }
}

/// A template that fails is the operator's to put right; an address that is none stays one.
pub(crate) fn unwritten(error: ComposeError) -> MailError {
    match error {
        ComposeError::Template(_) => MailError::Unsent(error.into()),
        ComposeError::Address(_) | ComposeError::Message(_) => MailError::Refused(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use revolve_domain::journal::MailKind;

    /// Names of the headers above the body, as they stand there.
    fn headers(data: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(data);
        let (head, _) = text.split_once("\r\n\r\n").expect("there is a body");
        let lines = head
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']));
        lines
            .map(|line| line.split(':').next().unwrap_or_default().to_owned())
            .collect()
    }

    fn composer(name: &str) -> Option<Composer> {
        let config = MailConfig {
            from: format!("{name} <accounts@example.org>"),
            reply_to: Some(format!("{name} <help@example.org>")),
            links: MailLinks::default(),
            templates: None,
            languages: vec!["en".parse().expect("it is a tag")],
        };
        Composer::new(config).ok()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_name_and_no_address_makes_a_header(
            name in "\\PC{0,40}|[\\x00-\\x7f]{0,40}|[a-z\r\n:]{0,20}",
            client in "\\PC{0,40}|[\\x00-\\x7f]{0,40}",
            local in "[a-z\"\r\n<>:, äß\\\\]{1,20}|\\PC{1,20}",
            kind in prop::sample::select(MailKind::ALL),
        ) {
            let Some(composer) = composer(&name) else {
                prop_assert!(name.chars().any(char::is_control));
                return Ok(());
            };
            let mut mail = sample(kind, Extent::Whole);
            mail.facts.client = Some(client.clone());
            mail.facts.subject = Some(client);
            if let Ok(to) = EmailAddress::parse(&format!("{local}@example.org")) {
                mail.to = to;
            }
            let Ok(message) = composer.message(&mail, Timestamp::from_seconds(1_900_000_000)) else {
                return Ok(());
            };
            let expected = [
                "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Reply-To", "MIME-Version",
                "Content-Type",
            ];
            let mut found = headers(&message.data);
            found.sort();
            let mut expected = expected.map(str::to_owned);
            expected.sort();
            prop_assert_eq!(found, expected);
            let lonely = |pair: &[u8]| (pair[0] == b'\r') != (pair[1] == b'\n');
            prop_assert!(!message.data.windows(2).any(lonely));
            for address in [&message.from, &message.to] {
                prop_assert!(!address.to_string().chars().any(char::is_control));
            }
        }
    }

    #[test]
    fn the_built_in_templates_say_enough() {
        let url = Some("https://app.example.org/?proof={proof}&secret={secret}".to_owned());
        let composer = Composer::new(MailConfig {
            from: "accounts@example.org".to_owned(),
            reply_to: None,
            links: MailLinks {
                recovery: url.clone(),
                choose_password: url.clone(),
                sign_up: url.clone(),
                verify_email: url.clone(),
                change_email: url.clone(),
                sign_in: url.clone(),
                undo: url.clone(),
                keep_factors: url,
            },
            templates: None,
            languages: ["en", "de"].map(|tag| tag.parse().expect("a tag")).to_vec(),
        });
        let checked = composer.expect("they are complete").check();
        checked.expect("they are right");
    }

    #[test]
    fn every_address_of_the_domain_can_be_written_to() {
        let composer = composer("Example").expect("it is right");
        for text in [
            "ann@example.org",
            "Ann+tag@Bücher.example",
            "änn@example.org",
            "\"a b\"@example.org",
            "o'ann@example.org",
        ] {
            let mut mail = sample(MailKind::SignIn, Extent::Whole);
            mail.to = EmailAddress::parse(text).expect("it is an address");
            let now = Timestamp::from_seconds(1_900_000_000);
            assert!(composer.message(&mail, now).is_ok(), "{text}");
        }
    }
}
