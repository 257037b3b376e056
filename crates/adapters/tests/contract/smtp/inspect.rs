//! What the doctor sees.

use super::{config, sink_with};
use crate::mail::composer;
use revolve_adapters::smtp::{SmtpConfig, inspect};
use revolve_testkit::smtp_sink::{SinkAnswer, SinkEncryption, SinkSettings, SinkStage};

#[tokio::test]
async fn a_server_is_examined_without_a_mail() {
    let sink = sink_with(SinkSettings {
        encryption: SinkEncryption::StartTls,
        user: Some(("ann".to_owned(), "hunter2".to_owned())),
        utf8: true,
    })
    .await;
    let facts = inspect(&config(&sink), &composer()).await.unwrap().unwrap();
    assert!(
        facts.encrypted && facts.signed_in && facts.utf8,
        "{facts:?}"
    );
    assert_eq!(
        (facts.sender, facts.place),
        (Ok(()), sink.address().to_string())
    );
    assert!(sink.received().is_empty());

    sink.fail(
        SinkStage::Mail,
        SinkAnswer::Reply("550 5.7.1 not verified".to_owned()),
    );
    let facts = inspect(&config(&sink), &composer()).await.unwrap().unwrap();
    assert!(facts.sender.unwrap_err().contains("not verified"));

    sink.fail(
        SinkStage::Auth,
        SinkAnswer::Reply("535 5.7.8 no".to_owned()),
    );
    let error = inspect(&config(&sink), &composer())
        .await
        .unwrap()
        .unwrap_err();
    assert!(error.to_string().contains("signing in"), "{error}");
    let wrong = SmtpConfig {
        url: "smtp://".to_owned().into(),
        ..config(&sink)
    };
    assert!(inspect(&wrong, &composer()).await.is_err());
}
