//! What becomes of a mail.

use super::{DAY, Post};
use revolve_domain::{
    deliveries::{DeliveryState, Settled},
    journal::{MailKind, NewMail},
    model::EmailAddress,
    ports::{Clock, SecurityEvent},
};
use revolve_testkit::memory::{Fault, MailFault};
use secrecy::ExposeSecret;
use std::time::Duration;

#[tokio::test]
async fn a_mail_is_sent_with_what_it_tells_and_proves() {
    let post = Post::new();
    let mail = NewMail {
        locale: Some("de".parse().unwrap()),
        ..post.proof(MailKind::ResetPassword)
    };
    post.commit(std::slice::from_ref(&mail));
    post.run().await;
    let [sent] = <[_; 1]>::try_from(post.mails.take()).expect("one mail");
    assert_eq!(
        (sent.id, sent.kind, &sent.to, &sent.locale),
        (mail.id, mail.kind, &mail.to, &mail.locale)
    );
    let proof = sent.proof.expect("a proof");
    assert_eq!(Some(proof.id), mail.proof);
    assert_eq!(
        proof.secret.expose_secret(),
        proof.id.to_string(),
        "derived when it is sent"
    );
    assert_eq!(post.left().await, []);
    assert_eq!(post.events.take(), []);
}

#[tokio::test]
async fn a_server_that_is_down_is_tried_with_growing_pauses_until_a_day_is_over() {
    let post = Post::new();
    let mail = post.mail(MailKind::PasswordChanged);
    post.commit(std::slice::from_ref(&mail));
    post.mails
        .script(std::iter::repeat_n(Some(MailFault::Unsent), 1000));
    let (began, mut pauses) = (post.clock.now(), Vec::new());
    loop {
        let before = post.clock.now();
        post.run().await;
        let [left] = <[_; 1]>::try_from(post.left().await).expect("it is there");
        if left.state == DeliveryState::GivenUp {
            break;
        }
        pauses.push(left.next_at.since(before));
        post.clock.set(left.next_at);
    }
    for (pause, least) in pauses.iter().zip([30, 60, 120, 240, 480, 960, 1920]) {
        let bounds = Duration::from_secs(least)..=Duration::from_secs(least + least / 3);
        assert!(bounds.contains(pause), "{pauses:?}");
    }
    assert!(
        pauses[7..]
            .iter()
            .all(|pause| (2700..=3600).contains(&pause.as_secs())),
        "{pauses:?}"
    );
    let tried_for = post.clock.now().since(began);
    assert!(
        tried_for < DAY && tried_for > Duration::from_hours(23),
        "{tried_for:?}"
    );
    assert_eq!(
        post.events.take(),
        [SecurityEvent::MailGivenUp {
            user: mail.user,
            delivery: mail.id,
            mail: mail.kind
        }]
    );
}

#[tokio::test]
async fn a_mail_arrives_when_the_server_is_back() {
    let post = Post::new();
    let mail = post.mail(MailKind::PasswordChanged);
    post.commit(std::slice::from_ref(&mail));
    post.mails.script([Some(MailFault::Unsent), None]);
    post.run().await;
    assert_eq!(post.arrived(), []);
    post.clock.advance(Duration::from_secs(40));
    post.run().await;
    assert_eq!(post.arrived(), [mail.id]);
    assert_eq!(post.left().await, []);
}

#[tokio::test]
async fn a_lost_answer_sends_a_mail_twice_under_one_id() {
    let post = Post::new();
    let mail = post.proof(MailKind::SignIn);
    post.commit(std::slice::from_ref(&mail));
    post.mails.script([Some(MailFault::Lost)]);
    post.run().await;
    post.clock.advance(Duration::from_secs(40));
    post.run().await;
    let [first, second] = <[_; 2]>::try_from(post.mails.take()).expect("two mails");
    assert_eq!(format!("{first:?}"), format!("{second:?}"));
    assert_eq!(first.id, mail.id);
}

#[tokio::test]
async fn a_refusal_for_good_is_given_up_at_once_and_told() {
    let post = Post::new();
    let nobody = EmailAddress::parse("nobody@example.org").unwrap();
    let mail = NewMail {
        to: nobody.clone(),
        ..post.mail(MailKind::NewDevice)
    };
    post.mails.refuse(nobody);
    post.commit(std::slice::from_ref(&mail));
    post.run().await;
    let [left] = <[_; 1]>::try_from(post.left().await).expect("it is kept");
    assert_eq!(
        (left.state, left.last_error.as_deref()),
        (DeliveryState::GivenUp, Some("told to refuse it"))
    );
    assert_eq!(post.events.take_names(), ["mail.given_up"]);
    post.clock.advance(DAY);
    post.run().await;
    assert_eq!(post.left().await, [left], "nobody tries it again");
}

#[tokio::test]
async fn a_proof_that_was_used_or_is_over_is_dropped_not_sent_late() {
    let post = Post::new();
    let (used, over) = (
        post.proof(MailKind::ResetPassword),
        NewMail {
            expires_at: post.clock.now().plus(Duration::from_mins(15)),
            ..post.proof(MailKind::SignIn)
        },
    );
    post.proofs.void(used.proof.unwrap());
    post.commit(&[used]);
    post.run().await;
    post.commit(&[over]);
    post.clock.advance(Duration::from_mins(15));
    post.run().await;
    assert_eq!(post.arrived(), []);
    assert_eq!(post.left().await, []);
    assert_eq!(post.events.take(), []);
}

#[tokio::test]
async fn a_change_of_the_address_is_told_though_it_can_not_be_undone_any_more() {
    let post = Post::new();
    let mail = post.proof(MailKind::EmailChanged);
    post.proofs.void(mail.proof.unwrap());
    post.commit(std::slice::from_ref(&mail));
    post.run().await;
    let [sent] = <[_; 1]>::try_from(post.mails.take()).expect("one mail");
    assert_eq!(sent.id, mail.id);
    assert!(sent.proof.is_none(), "it has no link");
    post.commit(&[post.proof(MailKind::EmailChanged)]);
    post.clock.advance(DAY);
    post.run().await;
    assert_eq!(post.arrived(), []);
    assert_eq!(post.events.take_names(), ["mail.given_up"], "not dropped");
}

#[tokio::test]
async fn a_proof_whose_next_attempt_would_come_too_late_is_dropped() {
    let post = Post::new();
    let mail = NewMail {
        expires_at: post.clock.now().plus(Duration::from_secs(29)),
        ..post.proof(MailKind::SignIn)
    };
    post.commit(&[mail]);
    post.mails.script([Some(MailFault::Unsent)]);
    post.run().await;
    assert_eq!(post.left().await, []);
}

/// What it says of the account may not be true any more.
#[tokio::test]
async fn what_to_do_before_a_sign_in_by_code_is_not_said_late() {
    let post = Post::new();
    post.commit(&[post.mail(MailKind::SignInUnverified)]);
    post.clock.advance(DAY);
    post.run().await;
    assert_eq!(post.arrived(), []);
    assert_eq!(post.left().await, []);
    assert_eq!(post.events.take(), []);
}

#[tokio::test]
async fn a_notice_that_was_not_sent_in_time_is_given_up() {
    let post = Post::new();
    post.commit(&[post.mail(MailKind::AccountDisabled)]);
    post.clock.advance(DAY);
    post.run().await;
    assert_eq!(post.arrived(), []);
    let [left] = <[_; 1]>::try_from(post.left().await).expect("it is kept");
    assert_eq!(left.last_error.as_deref(), Some("it was not sent in time"));
    assert_eq!(post.events.take_names(), ["mail.given_up"]);
}

/// It tells of something, though it has a proof.
#[tokio::test]
async fn a_change_of_address_that_was_not_told_in_time_is_given_up() {
    let post = Post::new();
    post.commit(&[post.proof(MailKind::EmailChanged)]);
    post.clock.advance(DAY);
    post.run().await;
    assert_eq!(post.arrived(), []);
    assert_eq!(post.left().await.len(), 1);
    assert_eq!(post.events.take_names(), ["mail.given_up"]);
}

#[tokio::test]
async fn a_replica_that_dies_while_it_sends_leaves_the_mail_to_another() {
    let post = Post::new();
    let mail = post.mail(MailKind::PasswordReset);
    post.commit(std::slice::from_ref(&mail));
    assert_eq!(post.lease().await.len(), 1);
    post.run().await;
    assert_eq!(post.arrived(), [], "the other may still be sending it");
    post.clock.advance(super::LIMITS.lease);
    post.run().await;
    assert_eq!(post.arrived(), [mail.id]);
}

#[tokio::test]
async fn a_send_that_was_cut_off_can_be_taken_up_at_once() {
    let post = Post::new();
    let mail = post.mail(MailKind::PasswordReset);
    post.commit(std::slice::from_ref(&mail));
    let [leased] = <[_; 1]>::try_from(post.lease().await).expect("it is due");
    let send = post.send();
    assert!(send.settle(&leased, &send.cut_off()).await.unwrap());
    post.run().await;
    assert_eq!(post.arrived(), [mail.id]);
}

#[tokio::test]
async fn what_was_sent_is_settled_once_the_store_is_back() {
    let post = Post::new();
    post.commit(&[post.mail(MailKind::PasswordReset)]);
    let [leased] = <[_; 1]>::try_from(post.lease().await).expect("it is due");
    let send = post.send();
    let settled = send.attempt(&leased).await.unwrap();
    assert!(matches!(settled, Settled::Sent { .. }));
    post.deliveries.fail(Fault::Before);
    assert!(send.settle(&leased, &settled).await.is_err());
    post.deliveries.recover();
    assert!(send.settle(&leased, &settled).await.unwrap());
    post.clock.advance(DAY);
    post.run().await;
    assert_eq!(post.mails.take().len(), 1);
}

#[tokio::test]
async fn a_flood_of_notices_is_two_mails_in_an_hour_and_loses_no_count() {
    let post = Post::new();
    let ann = post.account().await;
    let notice = || NewMail {
        user: Some(ann),
        ..post.mail(MailKind::SessionReused)
    };
    for _ in 0..10 {
        post.commit(&[notice()]);
    }
    post.run().await;
    for _ in 0..10 {
        post.commit(&[notice()]);
        post.clock.advance(Duration::from_mins(5));
        post.run().await;
    }
    let more: Vec<u32> = post.mails.arrived().iter().map(|mail| mail.more).collect();
    assert_eq!(more, [9], "the others wait for the hour to be over");
    post.clock.advance(Duration::from_mins(10));
    post.run().await;
    let more: Vec<u32> = post.mails.arrived().iter().map(|mail| mail.more).collect();
    assert_eq!(more, [9, 9]);
}
