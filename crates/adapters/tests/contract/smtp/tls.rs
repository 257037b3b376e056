//! Encrypted connections: what is trusted works, and nothing secret goes over any other.

use super::{config, config_to, for_ann, mailer, mailer_with, sink, sink_with, told};
use revolve_adapters::{smtp::SmtpConfig, tls::TlsSettings};
use revolve_domain::ports::Mailer;
use revolve_testkit::smtp_sink::{SinkAnswer, SinkEncryption, SinkSettings, SinkStage, SmtpSink};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

async fn encrypted(encryption: SinkEncryption) -> SmtpSink {
    sink_with(SinkSettings {
        encryption,
        user: Some(("ann".to_owned(), "hunter2".to_owned())),
        utf8: false,
    })
    .await
}

#[tokio::test]
async fn a_trusted_server_gets_the_mail_encrypted() {
    for encryption in [SinkEncryption::Wrapped, SinkEncryption::StartTls] {
        let sink = encrypted(encryption).await;
        mailer(&sink).send(&for_ann()).await.unwrap();
        let received = sink.received().pop().unwrap();
        assert!(
            received.encrypted && received.user.is_some(),
            "{encryption:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_not_trusted_gets_nothing() {
    for encryption in [SinkEncryption::Wrapped, SinkEncryption::StartTls] {
        let (sink, other) = (encrypted(encryption).await, encrypted(encryption).await);
        let asked = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&asked);
        sink.rule(move |stage, _| {
            seen.fetch_or(
                matches!(stage, SinkStage::Auth | SinkStage::Mail),
                Ordering::SeqCst,
            );
            None
        });
        let mailer = mailer_with(&SmtpConfig {
            tls: TlsSettings {
                authorities: other.authority(),
                identity: None,
            },
            ..config(&sink)
        });
        let (refused, words) = told(mailer.send(&for_ann()).await);
        assert!(
            !refused && words.contains("ca_file"),
            "{encryption:?}: {words}"
        );
        assert!(!asked.load(Ordering::SeqCst), "{encryption:?}");
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_unless_that_is_allowed() {
    let plain = sink().await;
    let able = encrypted(SinkEncryption::StartTls).await;
    let at = |query: &str| config_to(format!("smtp://{}{query}", plain.address()), &able);
    let (refused, words) = told(mailer_with(&at("")).send(&for_ann()).await);
    assert!(!refused && words.contains("no STARTTLS"), "{words}");
    assert!(plain.received().is_empty());
    mailer_with(&at("?tls=opportunistic"))
        .send(&for_ann())
        .await
        .unwrap();
    assert!(!plain.received()[0].encrypted);
    let opportunistic = config_to(format!("{}?tls=opportunistic", able.url()), &able);
    mailer_with(&opportunistic).send(&for_ann()).await.unwrap();
    assert!(able.received()[0].encrypted);
}

#[tokio::test]
async fn replies_that_somebody_slipped_in_before_tls_do_not_count() {
    let sink = encrypted(SinkEncryption::StartTls).await;
    mailer(&sink).send(&for_ann()).await.unwrap();
    let forged = "220 go ahead\r\n250-sink\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n354 go ahead\r\n250 kept";
    sink.fail(SinkStage::StartTls, SinkAnswer::Reply(forged.to_owned()));
    let (refused, words) = told(mailer(&sink).send(&for_ann()).await);
    assert!(!refused && words.contains("TLS"), "{words}");
    assert_eq!(sink.received().len(), 1);
}

#[tokio::test]
async fn a_server_without_tls_on_the_port_for_it_is_told_apart() {
    let plain = sink().await;
    let trusted = encrypted(SinkEncryption::Wrapped).await;
    let wrapped = config_to(format!("smtps://{}", plain.address()), &trusted);
    let (refused, words) = told(mailer_with(&wrapped).send(&for_ann()).await);
    assert!(
        !refused && words.contains("does not answer in TLS"),
        "{words}"
    );
}
