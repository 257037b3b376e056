//! What a server can do to a mail: what is refused for good, what is sent later, and that nothing takes forever.

use super::{config, for_ann, mailer, mailer_with, sink, told};
use revolve_adapters::smtp::SmtpConfig;
use revolve_domain::ports::Mailer;
use revolve_testkit::{
    Captured,
    smtp_sink::{SinkAnswer, SinkSettings, SinkStage, SmtpSink},
};
use std::time::Duration;
use tokio::time::timeout;

fn reply(line: &str) -> SinkAnswer {
    SinkAnswer::Reply(line.to_owned())
}

#[tokio::test]
async fn what_the_server_has_against_the_mail_is_final_and_everything_else_is_not() {
    let sink = sink().await;
    let mailer = mailer(&sink);
    for (stage, line, permanent) in [
        (SinkStage::Connected, "554 5.7.1 not you", false),
        (SinkStage::Connected, "421 4.3.2 too busy", false),
        (SinkStage::Hello, "550 5.7.1 not with that name", false),
        (SinkStage::Mail, "530 5.7.0 sign in first", false),
        (SinkStage::Mail, "550 5.7.1 not from there", false),
        (SinkStage::Mail, "451 4.3.0 later", false),
        (SinkStage::Rcpt, "550 5.1.1 <ann@example.org> unknown", true),
        (SinkStage::Rcpt, "450 4.2.0 greylisted, ann", false),
        (SinkStage::Rcpt, "421 4.7.0 goodbye", false),
        (SinkStage::Data, "554 5.7.1 no", true),
        (SinkStage::Data, "452 4.3.1 disk full", false),
        (SinkStage::Content, "552 5.3.4 too big", true),
        (SinkStage::Content, "451 4.7.1 later", false),
    ] {
        sink.fail(stage, reply(line));
        let (refused, words) = told(mailer.send(&for_ann()).await);
        assert_eq!(refused, permanent, "{stage:?} {line}: {words}");
        assert!(words.contains(&line[..3]), "{words}");
        assert!(!words.contains("ann"), "no address in errors: {words}");
        assert!(sink.received().is_empty(), "{stage:?} {line}");
        sink.wait_until_idle().await;
    }
    sink.recover();
    mailer.send(&for_ann()).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_refusal() {
    let sink = sink().await;
    let mailer = mailer(&sink);
    for stage in [
        SinkStage::Connected,
        SinkStage::Hello,
        SinkStage::Mail,
        SinkStage::Rcpt,
        SinkStage::Data,
        SinkStage::Content,
    ] {
        sink.fail(stage, SinkAnswer::Close);
        let (refused, words) = told(mailer.send(&for_ann()).await);
        assert!(!refused, "{stage:?}: {words}");
        assert!(sink.received().is_empty(), "{stage:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_no_refusal_and_the_next_try_is_the_same_mail() {
    let sink = sink().await;
    let (mailer, mail) = (mailer(&sink), for_ann());
    sink.fail(SinkStage::Content, SinkAnswer::Lose);
    assert!(!told(mailer.send(&mail).await).0);
    sink.recover();
    mailer.send(&mail).await.unwrap();
    let received = sink.received();
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("Message-ID"),
        received[1].header("Message-ID")
    );
    assert!(!received[0].answered && received[1].answered);
}

#[tokio::test]
async fn a_server_that_falls_silent_ends_at_the_deadline() {
    let sink = sink().await;
    let mailer = mailer_with(&SmtpConfig {
        timeout: Duration::from_secs(1),
        ..config(&sink)
    });
    for stage in [
        SinkStage::Connected,
        SinkStage::Hello,
        SinkStage::Mail,
        SinkStage::Rcpt,
        SinkStage::Data,
        SinkStage::Content,
    ] {
        sink.fail(stage, SinkAnswer::Silence);
        let sent = timeout(Duration::from_secs(20), mailer.send(&for_ann())).await;
        let (refused, words) = told(sent.expect("it ends"));
        assert!(
            !refused && words.contains("within 1s"),
            "{stage:?}: {words}"
        );
        sink.wait_until_idle().await;
    }
}

#[tokio::test]
async fn a_mail_that_the_server_has_taken_is_sent_whatever_comes_then() {
    let sink = sink().await;
    let mailer = mailer(&sink);
    for answer in [
        SinkAnswer::Silence,
        SinkAnswer::Close,
        reply("421 4.3.0 no"),
    ] {
        sink.fail(SinkStage::Quit, answer);
        mailer.send(&for_ann()).await.unwrap();
    }
    assert_eq!(sink.received().len(), 3);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_and_no_refusal() {
    let mut sink = sink().await;
    let mailer = mailer(&sink);
    sink.go_down().await.unwrap();
    let (refused, words) = told(mailer.send(&for_ann()).await);
    let said = format!("{} can't be reached", sink.address());
    assert!(!refused && words.contains(&said), "{words}");
    sink.come_up().unwrap();
    mailer.send(&for_ann()).await.unwrap();
    assert_eq!(sink.received().len(), 1);
}

#[tokio::test]
async fn a_slow_server_is_waited_for() {
    let sink = sink().await;
    sink.rule(|_, _| Some(SinkAnswer::Late(Duration::from_millis(20))));
    mailer(&sink).send(&for_ann()).await.unwrap();
    assert!(sink.received()[0].answered);
}

#[tokio::test]
async fn a_password_that_is_wrong_is_the_operators_to_put_right() {
    let settings = SinkSettings {
        user: Some(("ann".to_owned(), "right-password".to_owned())),
        ..SinkSettings::default()
    };
    let sink = SmtpSink::start(settings).await.unwrap();
    mailer(&sink).send(&for_ann()).await.unwrap();
    assert_eq!(sink.received()[0].user.as_deref(), Some("ann"));
    let wrong = mailer_with(&SmtpConfig {
        url: sink.url().replace("right", "wrong").into(),
        ..config(&sink)
    });
    let (refused, words) = told(wrong.send(&for_ann()).await);
    assert!(
        !refused && words.contains("535") && !words.contains("wrong-password"),
        "{words}"
    );
    assert_eq!(sink.received().len(), 1);
}

#[tokio::test]
async fn a_service_that_is_locked_out_says_so_once() {
    let log = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.writer()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let settings = SinkSettings {
        user: Some(("ann".to_owned(), "hunter2".to_owned())),
        ..SinkSettings::default()
    };
    let sink = SmtpSink::start(settings).await.unwrap();
    let mailer = mailer(&sink);
    let said = || log.text().matches("does not let the service in").count();
    for _ in 0..3 {
        sink.fail(SinkStage::Auth, reply("535 5.7.8 no"));
        told(mailer.send(&for_ann()).await);
    }
    assert_eq!(said(), 1, "{}", log.text());
    sink.recover();
    mailer.send(&for_ann()).await.unwrap();
    sink.fail(SinkStage::Auth, reply("535 5.7.8 no"));
    told(mailer.send(&for_ann()).await);
    assert_eq!(said(), 2);
    for secret in ["hunter2", "ann@example.org", "271828", "s3cr3t"] {
        assert!(!log.text().contains(secret), "{secret}");
    }
}
