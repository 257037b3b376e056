//! Mail by SMTP, against a server of our own that fails as it is told.

mod addresses;
mod faults;
mod inspect;
mod tls;

use crate::mail::composer;
use revolve_adapters::{
    smtp::{SmtpConfig, SmtpMailer},
    tls::TlsSettings,
};
use revolve_domain::{
    journal::{MailFacts, MailKind},
    model::{DeliveryId, EmailAddress, ProofId, Timestamp},
    ports::{Mail, MailError, MailProof, Mailer},
};
use revolve_testkit::{
    memory::FakeClock,
    smtp_sink::{ReceivedMail, SinkSettings, SmtpSink},
};
use std::{error::Error, fmt::Write, sync::Arc, time::Duration};
use uuid::Uuid;

/// A mail with everything that its kind can have.
#[expect(clippy::disallowed_methods, reason = "tests run at once")]
pub(crate) fn mail(kind: MailKind, to: &str) -> Mail {
    let id = Uuid::new_v4();
    Mail {
        id: DeliveryId::from_uuid(id),
        kind,
        to: EmailAddress::parse(to).unwrap(),
        locale: None,
        facts: MailFacts {
            at: Some(Timestamp::from_seconds(1_900_000_000)),
            address: Some("203.0.113.7".parse().unwrap()),
            client: Some("Firefox on Linux".to_owned()),
            subject: None,
        },
        more: 0,
        proof: (!kind.is_notice()).then(|| MailProof {
            id: ProofId::from_uuid(id),
            code: "271828".into(),
            secret: "s3cr3t-of_a_link".into(),
            expires_at: Timestamp::from_seconds(1_900_000_900),
        }),
    }
}

async fn sink() -> SmtpSink {
    sink_with(SinkSettings::default()).await
}

async fn sink_with(settings: SinkSettings) -> SmtpSink {
    SmtpSink::start(settings).await.unwrap()
}

fn config(sink: &SmtpSink) -> SmtpConfig {
    SmtpConfig {
        url: sink.url().into(),
        tls: TlsSettings {
            authorities: sink.authority(),
            identity: None,
        },
        timeout: Duration::from_secs(10),
    }
}

/// What reaches another server, and trusts only this one.
fn config_to(url: String, trusted: &SmtpSink) -> SmtpConfig {
    SmtpConfig {
        url: url.into(),
        ..config(trusted)
    }
}

fn mailer_with(config: &SmtpConfig) -> SmtpMailer {
    SmtpMailer::new(config, composer(), Arc::new(FakeClock::default())).unwrap()
}

fn mailer(sink: &SmtpSink) -> SmtpMailer {
    mailer_with(&config(sink))
}

fn for_ann() -> Mail {
    mail(MailKind::ResetPassword, "ann@example.org")
}

async fn arrived(sink: &SmtpSink, mail: &Mail) -> ReceivedMail {
    mailer(sink).send(mail).await.unwrap();
    sink.received().pop().unwrap()
}

/// All that an error says, and whether it is for good.
fn told(result: Result<(), MailError>) -> (bool, String) {
    let error = result.unwrap_err();
    let permanent = matches!(error, MailError::Refused(_));
    let (mut words, mut next) = (error.to_string(), error.source());
    while let Some(source) = next {
        write!(words, ": {source}").unwrap();
        next = source.source();
    }
    (permanent, words)
}

#[tokio::test]
async fn a_mail_arrives_with_its_headers_in_text_and_html() {
    let sink = sink().await;
    let mail = for_ann();
    let received = arrived(&sink, &mail).await;
    assert_eq!(received.from, "accounts@example.org");
    assert_eq!(received.to, ["ann@example.org"]);
    assert_eq!(received.client, "example.org");
    assert_eq!(received.parameters.trim(), "");
    for (name, value) in [
        ("From", "Example <accounts@example.org>"),
        ("To", "ann@example.org"),
        ("Date", "Sun, 17 Mar 2030 17:46:40 +0000"),
        ("Auto-Submitted", "auto-generated"),
        ("Message-ID", &format!("<{}@example.org>", mail.id)),
        ("Subject", "Choose a new password for Example"),
        ("MIME-Version", "1.0"),
    ] {
        let found = received.header(name).unwrap().replace('"', "");
        assert_eq!(found, value, "{name}");
    }
    let kind = received.header("Content-Type").unwrap();
    assert!(kind.starts_with("multipart/alternative"), "{kind}");
    assert!(received.data.is_ascii());
    assert_eq!(received.code().as_deref(), Some("271828"));
    let proof = mail.proof.unwrap().id;
    let link = format!("https://app.example.org/recovery?proof={proof}&secret=s3cr3t-of_a_link");
    assert_eq!(received.link(), Some(link.clone()));
    let html = received.html();
    let unescaped = html.replace("&#x2f;", "/").replace("&amp;", "&");
    assert!(
        unescaped.contains(&link) && html.contains("271828"),
        "{html}"
    );
    for words in [
        "17 March 2030, 17:46 UTC",
        "203.0.113.7",
        "Firefox on Linux",
        "18:01 UTC",
    ] {
        assert!(
            received.text().contains(words) && html.contains(words),
            "{words}"
        );
    }
}

#[tokio::test]
async fn a_mail_that_is_sent_again_is_seen_to_be_the_same() {
    let sink = sink().await;
    let mail = for_ann();
    let (first, second) = (arrived(&sink, &mail).await, arrived(&sink, &mail).await);
    assert_eq!(first.header("Message-ID"), second.header("Message-ID"));
    assert_eq!(first.text(), second.text());
    let other = arrived(&sink, &for_ann()).await;
    assert_ne!(first.header("Message-ID"), other.header("Message-ID"));
}

#[tokio::test]
async fn no_connection_is_kept() {
    let sink = sink().await;
    let mailer = mailer(&sink);
    for count in 1..=3 {
        mailer.send(&for_ann()).await.unwrap();
        sink.wait_until_idle().await;
        assert_eq!((sink.connections(), sink.received().len()), (count, count));
    }
}

#[tokio::test]
async fn every_kind_arrives_in_german() {
    let sink = sink().await;
    for kind in MailKind::ALL {
        let mut mail = mail(*kind, "ann@example.org");
        mail.locale = Some("de-AT".parse().unwrap());
        let received = arrived(&sink, &mail).await;
        let html = received.html();
        assert!(html.contains("lang=\"de\""), "{kind:?}: {html}");
        assert!(
            received.text().contains("hat diese Nachricht an"),
            "{kind:?}"
        );
    }
}

#[tokio::test]
async fn answers_go_where_they_should() {
    let sink = sink().await;
    let composed = revolve_adapters::mail::MailConfig {
        reply_to: Some("Hilfe für Ann <help@example.org>".to_owned()),
        ..crate::mail::config()
    };
    let composer = revolve_adapters::mail::Composer::new(composed).unwrap();
    let clock = Arc::new(FakeClock::default());
    let mailer = SmtpMailer::new(&config(&sink), composer, clock).unwrap();
    mailer.send(&for_ann()).await.unwrap();
    let received = sink.received().pop().unwrap();
    let message = received.message();
    let reply_to = message.reply_to().unwrap().first().unwrap();
    assert_eq!(
        (reply_to.name(), reply_to.address()),
        (Some("Hilfe für Ann"), Some("help@example.org"))
    );
}

#[tokio::test]
async fn a_test_says_that_it_is_one() {
    let sink = sink().await;
    let to = EmailAddress::parse("ann@example.org").unwrap();
    let id = DeliveryId::from_random([9; 16]);
    mailer(&sink).send_test(id, &to).await.unwrap();
    let received = sink.received().pop().unwrap();
    assert_eq!(received.subject(), "Test of mail from Example");
}
