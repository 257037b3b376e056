//! Addresses beyond ASCII.

use super::{arrived, mail, mailer, sink, sink_with, told};
use revolve_domain::{journal::MailKind, ports::Mailer};
use revolve_testkit::smtp_sink::SinkSettings;

#[tokio::test]
async fn a_domain_is_sent_in_ascii_to_every_server() {
    let sink = sink().await;
    let mail = mail(MailKind::SignIn, "Ann@Bücher.example");
    let received = arrived(&sink, &mail).await;
    assert_eq!(received.to, ["Ann@xn--bcher-kva.example"]);
    assert_eq!(
        received.header("To").as_deref(),
        Some("Ann@xn--bcher-kva.example")
    );
    assert!(
        received.text().contains("Ann@Bücher.example"),
        "its reader sees it as it was typed"
    );
}

#[tokio::test]
async fn a_local_part_beyond_ascii_needs_a_server_that_takes_it() {
    let settings = SinkSettings {
        utf8: true,
        ..SinkSettings::default()
    };
    let mail = mail(MailKind::SignIn, "änn@bücher.example");
    let able = sink_with(settings).await;
    let received = arrived(&able, &mail).await;
    assert_eq!(received.to, ["änn@xn--bcher-kva.example"]);
    assert_eq!(received.parameters, " SMTPUTF8 BODY=8BITMIME");
    assert_eq!(received.code().as_deref(), Some("271828"));

    let unable = sink().await;
    let (permanent, words) = told(mailer(&unable).send(&mail).await);
    assert!(permanent && words.contains("SMTPUTF8"), "{words}");
    assert!(unable.received().is_empty());
}

#[tokio::test]
async fn a_quoted_local_part_stays_as_it_is() {
    let sink = sink().await;
    let received = arrived(&sink, &mail(MailKind::SignIn, "\"a b\"@example.org")).await;
    assert_eq!(received.to, ["\"a b\"@example.org"]);
}
