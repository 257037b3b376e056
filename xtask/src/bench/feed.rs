//! The revocation feed while sessions end without pause: what it takes the service, and what each watcher is sent. The ends are written into
//! Postgres by SQL, as another replica would, so that the service does no more than tell them. The watchers are tasks of this process.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, interval, sleep, sleep_until},
};
use url::Url;

use super::{
    figures::Figures,
    testbed::{Testbed, default_settings},
};
use crate::harness::{
    http::{Request, Response},
    raw_http::{encode, exchange},
    statistics::float,
    stores::PostgresConnection,
    usage,
};

const SCHEMA: &str = "feed";
/// The Redis database.
const DATABASE: u8 = 11;
/// Clients that follow the feed.
pub(super) const WATCHERS: u32 = 100;
/// Sessions that end in a second.
pub(super) const RATE: u32 = 1_000;
/// They are committed so often.
const TICK: Duration = Duration::from_millis(100);
/// A watcher asks so often at most, and is held so many seconds, as by default in `revolve-verify`.
const PAUSE: Duration = Duration::from_millis(250);
const WAIT: u64 = 25;
/// For all watchers to follow before it counts.
const RAMP: Duration = Duration::from_secs(2);

/// What has happened since the beginning, or meanwhile.
#[derive(Default)]
struct Counters {
    /// Sessions that ended.
    ended: AtomicU64,
    /// The ends that watchers were told, and the bytes of it.
    told: AtomicU64,
    bytes: AtomicU64,
}

impl Counters {
    fn now(&self) -> [f64; 3] {
        [&self.ended, &self.told, &self.bytes].map(|counter| float(counter.load(Ordering::Relaxed)))
    }
}

pub(super) async fn measure(testbed: &Testbed<'_>, figures: &mut Figures) -> Result<()> {
    eprintln!("the revocation feed");
    let settings = default_settings("ES256");
    let server = testbed.start_server(SCHEMA, DATABASE, settings).await?;
    let counters = Arc::new(Counters::default());
    let mut running = JoinSet::new();
    running.spawn(end_sessions(testbed.postgres().clone(), counters.clone()));
    for _ in 0..WATCHERS {
        let origin = server.instance.url().to_owned();
        running.spawn(watch(origin, counters.clone()));
    }
    let pid = server.pid()?;
    let window = async {
        sleep(RAMP).await;
        let (begun, cpu, before) = (Instant::now(), usage::cpu(pid)?, counters.now());
        sleep(Duration::from_secs(testbed.size.feed)).await;
        let (cpu, after) = (usage::cpu(pid)? - cpu, counters.now());
        let seconds = begun.elapsed().as_secs_f64();
        let each = |which: usize| (after[which] - before[which]) / seconds;
        anyhow::Ok((cpu / seconds, [each(0), each(1), each(2)]))
    };
    let (cpu, [ended, told, bytes]) = tokio::select! {
        measured = window => measured?,
        Some(failed) = running.join_next() => match failed?? {},
    };
    running.shutdown().await;
    server.stop().await?;
    let told = told / f64::from(WATCHERS);
    // What a watcher was told began and ended between two answers.
    ensure!(
        ended > 0.9 * f64::from(RATE) && told > 0.8 * ended,
        "{ended:.0} sessions a second could be ended, and a watcher was told {told:.0}"
    );
    figures.put("feed.cpu", cpu * 100.0);
    figures.put("feed.bytes", bytes / f64::from(WATCHERS) * ended / told);
    figures.put("feed.ended", ended);
    Ok(())
}

/// Writes sessions that have just ended, each of a user of its own.
async fn end_sessions(url: Url, counters: Arc<Counters>) -> Result<Infallible> {
    let client = PostgresConnection::open(&url).await?;
    let mut ticks = interval(TICK);
    let count = RATE / 10;
    let end = client
        .prepare(&format!(
            "INSERT INTO {SCHEMA}.sessions (id, user_id, device_id, epoch, began_at, ends_at, ended_at, end_reason)
            SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 0, now() - interval '1 hour', now() + interval '1 day',
                now(), 'signed_out'
            FROM generate_series(1, {count})"
        ))
        .await?;
    loop {
        ticks.tick().await;
        let ended = client.execute(&end, &[]).await.context("ends")?;
        counters.ended.fetch_add(ended, Ordering::Relaxed);
    }
}

/// Asks for what came since the version that it has, as clients do.
async fn watch(origin: String, counters: Arc<Counters>) -> Result<Infallible> {
    let mut stream = TcpStream::connect(origin.trim_start_matches("http://")).await?;
    stream.set_nodelay(true)?;
    let mut query = "since=0".to_owned();
    loop {
        let begun = Instant::now();
        let request = Request::get(&format!("{origin}/.well-known/revocations?{query}"))?;
        let request = encode(&request.header("Accept", "application/vnd.revolve.revocations"));
        let Response { status, body, .. } = exchange(&mut stream, &request).await?;
        ensure!(status == 200, "the feed is refused: {status} {body}");
        let statement = Statement::read(&body)?;
        let bytes = u64::try_from(body.len())?;
        counters.bytes.fetch_add(bytes, Ordering::Relaxed);
        counters.told.fetch_add(statement.ends(), Ordering::Relaxed);
        query = format!("since={}&wait={WAIT}", statement.version);
        sleep_until(begun + PAUSE).await;
    }
}

/// A packed statement without its ids.
#[derive(Deserialize)]
struct Statement {
    version: String,
    /// Minutes, and how many sessions ended in each.
    sessions: Vec<(u64, u64)>,
}

impl Statement {
    /// Its signature is not checked, since that is the watchers' own work.
    fn read(text: &str) -> Result<Self> {
        let claims = text
            .split_once('~')
            .and_then(|(jws, _)| jws.split('.').nth(1));
        let claims = claims.context("the feed is not packed")?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)
            .context("the feed says something else")
    }

    fn ends(&self) -> u64 {
        self.sessions.iter().map(|(_, ends)| ends).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_says_how_many_have_ended_and_what_to_ask_for_next() {
        let claims = r#"{"version":"1.2.3.4","since":"1.2.3.0","sessions":[[1899999960,2],[1900000020,9]],"digest":"x"}"#;
        let text = format!("e30.{}.c2ln~AAAA", URL_SAFE_NO_PAD.encode(claims));
        let statement = Statement::read(&text).unwrap();
        assert_eq!(
            (statement.version.as_str(), statement.ends()),
            ("1.2.3.4", 11)
        );
        assert!(Statement::read(text.split('~').next().unwrap()).is_err());
    }
}
