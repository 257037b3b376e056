//! What a rotation takes in each store, one at a time and 64 at once: `cargo bench -p revolve-bench --bench rotation`. Redis is the one of
//! `REVOLVE_TEST_REDIS_URL`; without it, it is left out.
#![expect(clippy::expect_used, reason = "a benchmark that can't go on fails")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use futures_util::future::join_all;
use revolve_adapters::{
    redis::{RedisConfig, RedisTokens},
    sqlite::SqliteStore,
    system::SystemClock,
};
use revolve_domain::{
    model::{DeviceId, Epoch, Generation, SessionId, Timestamp, UserId},
    ports::{Clock, NewLiveSession, TokenRepository},
    rotation::{DeviceProof, LiveToken, RetryPolicy, Rotation, RotationOutcome},
};
use revolve_testkit::memory::MemoryTokens;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

const AT_ONCE: usize = 64;
/// Entries in a Redis that is not ours are soon gone.
const LIFE: Duration = Duration::from_mins(5);

/// A session that is refreshed again and again.
struct BenchSession {
    user: UserId,
    id: SessionId,
    /// The `iat` of all of its tokens.
    issued_at: Timestamp,
    generation: AtomicU64,
}

impl BenchSession {
    async fn begin(store: &dyn TokenRepository, issued_at: Timestamp) -> Self {
        let (user, id) = (
            UserId::from_uuid(Uuid::now_v7()),
            SessionId::from_uuid(Uuid::now_v7()),
        );
        let generation = Generation::FIRST;
        let token = LiveToken {
            generation,
            issued_at,
            expires_at: issued_at.plus(LIFE),
            device: None,
        };
        let new = NewLiveSession {
            user,
            session: id,
            token,
            epoch: Epoch::default(),
            ceiling: 10,
        };
        store.begin(new).await.expect("it begins");
        Self {
            user,
            id,
            issued_at,
            generation: AtomicU64::new(generation.number()),
        }
    }

    async fn refresh(&self, store: &dyn TokenRepository) {
        let presented = Generation::new(self.generation.fetch_add(1, Ordering::Relaxed))
            .expect("far below the last one");
        let rotation = Rotation {
            user: self.user,
            session: self.id,
            presented,
            presented_issued_at: self.issued_at,
            expired: false,
            issued_at: self.issued_at,
            expires_at: self.issued_at.plus(LIFE),
            epoch: Epoch::default(),
            device: DeviceProof {
                owner: DeviceId::from_random([3; 16]),
                shown: None,
                bound: false,
            },
            policy: RetryPolicy::default(),
        };
        let outcome = store.rotate(&rotation).await.expect("the store answers");
        assert!(
            matches!(outcome, RotationOutcome::Rotated(_)),
            "{outcome:?}"
        );
    }
}

fn rotations(
    criterion: &mut Criterion,
    runtime: &Runtime,
    name: &str,
    store: &Arc<dyn TokenRepository>,
) {
    let now = SystemClock.now().whole_second();
    let sessions = runtime.block_on(async {
        join_all((0..AT_ONCE).map(|_| BenchSession::begin(store.as_ref(), now))).await
    });
    let sessions: Vec<_> = sessions.into_iter().map(Arc::new).collect();
    let mut group = criterion.benchmark_group(format!("rotate, {name}"));
    group.bench_function("one at a time", |bencher| {
        bencher
            .to_async(runtime)
            .iter(|| sessions[0].refresh(store.as_ref()));
    });
    group.throughput(Throughput::Elements(AT_ONCE as u64));
    group.bench_function(format!("{AT_ONCE} at once"), |bencher| {
        bencher.to_async(runtime).iter(|| async {
            let each = sessions.iter().map(|session| {
                let (session, store) = (Arc::clone(session), Arc::clone(store));
                tokio::spawn(async move { session.refresh(store.as_ref()).await })
            });
            for done in join_all(each).await {
                done.expect("it is refreshed");
            }
        });
    });
    group.finish();
}

fn stores(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let memory: Arc<dyn TokenRepository> = Arc::new(MemoryTokens::new(Arc::clone(&clock)));
    rotations(criterion, &runtime, "memory", &memory);

    // On the disk that the project is on, not in memory.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let opened = runtime
        .block_on(SqliteStore::open(
            folder.path().join("bench.sqlite3"),
            clock,
        ))
        .expect("SQLite opens");
    let sqlite: Arc<dyn TokenRepository> = Arc::new(opened.clone());
    rotations(criterion, &runtime, "SQLite", &sqlite);
    runtime.block_on(opened.close());

    let Some(url) = std::env::var("REVOLVE_TEST_REDIS_URL")
        .ok()
        .filter(|url| !url.is_empty())
    else {
        eprintln!("rotate, Redis: left out, REVOLVE_TEST_REDIS_URL is not set");
        return;
    };
    let redis = runtime
        .block_on(RedisTokens::connect(RedisConfig::new(url.into())))
        .expect("Redis answers");
    let redis: Arc<dyn TokenRepository> = Arc::new(redis);
    rotations(criterion, &runtime, "Redis", &redis);
}

criterion_group!(benches, stores);
criterion_main!(benches);
