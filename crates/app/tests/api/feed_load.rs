//! The revocation feed under load, followed by a relying service. Some seconds; with `REVOLVE_TEST_LONG=1` a window that is full at a
//! thousand ends a second, and the figures are printed.

use crate::support::{Actor, App, FEED, Store, with_config};
use revolve_verify::{FeedConfig, FeedHealth, Verifier, VerifierConfig, VerifyError};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::{interval, sleep, timeout};
use tokio_postgres::{Client, NoTls};

/// Ends a second.
const RATE: i32 = 1000;
/// Ends are committed so often.
const TICK: Duration = Duration::from_millis(100);

fn is_long() -> bool {
    std::env::var("REVOLVE_TEST_LONG").is_ok_and(|long| long == "1")
}

async fn connect(app: &App) -> Client {
    let url = app.backing.server().postgres_url.as_str();
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    actix_web::rt::spawn(connection);
    client
}

/// So many sessions ended, spread over this long, each of a user of its own.
async fn end(client: &Client, sessions: i32, over: Duration) {
    const END: &str = "
        INSERT INTO sessions (id, user_id, device_id, epoch, began_at, ends_at, ended_at, end_reason)
        SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 0, now() - interval '1 hour', now() + interval '1 day',
            now() - random() * $2::float8 * interval '1 second', 'signed_out'
        FROM generate_series(1, $1)";
    client
        .execute(END, &[&sessions, &over.as_secs_f64()])
        .await
        .unwrap();
}

/// What a watcher is sent, in bytes, until it is aborted.
async fn watch(reader: Actor, mut version: String, bytes: Arc<AtomicUsize>) {
    loop {
        let query = format!("?since={version}&wait=25");
        let answer = reader.send(reader.feed_request(&query)).await.expect(200);
        bytes.fetch_add(answer.text.len(), Ordering::Relaxed);
        version = reader.unpacked(&answer.text).await.version;
        sleep(Duration::from_millis(250)).await;
    }
}

/// How long after its acknowledgement a sign-out counts at the relying service.
async fn refused_after(app: &App, verifier: &Verifier, name: &str) -> Duration {
    let user = app.sign_up(name).await;
    verifier
        .verify(&user.id_token)
        .await
        .expect("the session lives");
    user.sign_out("this").await.expect(204);
    let acknowledged = Instant::now();
    while !matches!(
        verifier.verify(&user.id_token).await,
        Err(VerifyError::Revoked)
    ) {
        assert!(
            acknowledged.elapsed() < Duration::from_mins(1),
            "it still counts"
        );
        sleep(Duration::from_millis(10)).await;
    }
    acknowledged.elapsed()
}

#[test]
fn a_relying_service_keeps_up_with_a_thousand_ends_a_second() {
    let (window, rounds) = if is_long() {
        (960_000, 20)
    } else {
        (20_000, 3)
    };
    with_config(Store::Server, "", move |app| async move {
        let client = connect(&app).await;
        let begun = Instant::now();
        end(&client, window, Duration::from_mins(10)).await;
        let filled = begun.elapsed();
        // It reads everything when it is asked for the first time.
        let reader = app.anon();
        let begun = Instant::now();
        let whole = timeout(Duration::from_mins(1), async {
            loop {
                let answer = reader.send(reader.feed_request("?since=0")).await;
                if answer.status == 200 {
                    return answer.text;
                }
            }
        });
        let whole = whole.await.expect("it is read in time");
        let served = begun.elapsed();
        assert!(whole.len() <= 24_000_000, "{} bytes", whole.len());

        let ann = app.sign_up("ann").await;
        let claims = Actor::claims(&ann.id_token);
        let text = |claim: &str| claims[claim].as_str().unwrap().to_owned();
        let mut config = VerifierConfig::new(text("iss"), text("aud"));
        let base = format!("http://{}", app.address);
        config.jwks_url = format!("{base}/.well-known/jwks.json");
        config.feed = Some(FeedConfig {
            url: Some(format!("{base}{FEED}")),
            ..FeedConfig::default()
        });
        let verifier = Verifier::start(&config).unwrap();
        verifier.verify(&ann.id_token).await.unwrap();
        let status = verifier.feed_status().unwrap();
        assert_eq!(status.health, FeedHealth::Fresh, "{status:?}");
        assert!(
            status.entries >= usize::try_from(window).unwrap(),
            "{status:?}"
        );

        let load = actix_web::rt::spawn(async move {
            let mut ticks = interval(TICK);
            loop {
                ticks.tick().await;
                end(&client, RATE / 10, TICK).await;
            }
        });
        let bytes = Arc::<AtomicUsize>::default();
        let version = reader.unpacked(&whole).await.version;
        let watcher = actix_web::rt::spawn(watch(app.anon(), version, bytes.clone()));
        let (begun, mut slowest) = (Instant::now(), Duration::ZERO);
        for round in 0..rounds {
            slowest = slowest.max(refused_after(&app, &verifier, &format!("user{round}")).await);
            verifier
                .verify(&ann.id_token)
                .await
                .expect("her session lives");
            sleep(Duration::from_millis(500)).await;
        }
        let took = begun.elapsed();
        load.abort();
        watcher.abort();
        let status = verifier.feed_status().unwrap();
        assert_eq!(
            (status.health, status.failures),
            (FeedHealth::Fresh, 0),
            "{status:?}"
        );
        let sent = bytes.load(Ordering::Relaxed);
        let a_second = u128::from(u64::try_from(sent).unwrap()) * 1000 / took.as_millis().max(1);
        let figures = format!(
            "{window} ends inserted in {filled:.1?}; the whole has {} bytes and was served in {served:.1?}; a watcher was sent {a_second} \
             bytes a second for {took:.1?}; the slowest refusal came after {slowest:.2?}; {status:?}",
            whole.len()
        );
        println!("{figures}");
        assert!(a_second <= 65_536, "{figures}");
        // A machine that does something else has more time.
        let patience = if is_long() { 2 } else { 20 };
        assert!(slowest <= Duration::from_secs(patience), "{figures}");
    });
}

#[test]
fn a_plain_statement_that_is_too_long_is_refused_and_the_packed_form_goes_on() {
    with_config(Store::Server, "", |app| async move {
        let client = connect(&app).await;
        let ann = app.sign_up("ann").await;
        let tag = ann.feed().await.expect(200).header("etag").to_owned();
        end(&client, 60_000, Duration::from_mins(15)).await;
        let refused = ann.feed_unless(&tag, "?wait=60").await;
        refused.expect_problem(503, "statement_too_long");
        let events = ann.feed_request("").header("Accept", "text/event-stream");
        ann.send(events)
            .await
            .expect_problem(503, "statement_too_long");
        let whole = ann.packed("0").await;
        assert_eq!(whole.ended.len(), 60_000);
        ann.sign_out("this").await.expect(204);
        assert_eq!(
            ann.packed(&whole.version).await.ended,
            std::slice::from_ref(&ann.session)
        );
    });
}
