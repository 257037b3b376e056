//! The masters of a Redis Cluster, and which of them serves which hash slot. Each master has a pool of its own, so that one that is down
//! does not delay calls whose keys are on another.
//!
//! Only masters are asked, for reads too: a replica may lack what its master has acknowledged.

use super::{
    config::RedisConfig,
    endpoint::RedisEndpoint,
    failure::{RedisFailure, UnsuitableServer, mentions},
    pool::ConnectionPool,
    slot_map::{NodeAddress, SlotMap},
    url,
    url::UrlError,
};
use deadpool_redis::redis::{ConnectionInfo, cmd};
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout_at};

/// Between two reads of the slot map.
const REFRESH_PAUSE: Duration = Duration::from_millis(100);
/// Nodes that are asked for the slot map at once; the first useful answer counts.
const ASKED_AT_ONCE: usize = 5;

/// A clone is the same cluster.
#[derive(Clone)]
pub(crate) struct Cluster(Arc<ClusterInner>);

struct ClusterInner {
    address: Arc<str>,
    /// Connection settings of any node, except for its address.
    template: ConnectionInfo,
    /// The nodes that the URL names.
    seeds: Vec<NodeAddress>,
    connections: usize,
    timeout: Duration,
    state: Mutex<ClusterState>,
    /// When the last refresh of the slot map began. Locked during a refresh.
    last_refresh: tokio::sync::Mutex<Option<Instant>>,
    /// A refresh in the background is under way.
    refreshing: AtomicBool,
    /// Picks the node to be asked first.
    rotation: AtomicUsize,
}

#[derive(Default)]
struct ClusterState {
    slots: Arc<SlotMap>,
    pools: BTreeMap<NodeAddress, Arc<ConnectionPool>>,
    /// The hash slots that the last ping found unserved.
    uncovered: String,
    closed: bool,
}

impl Cluster {
    /// Does not connect yet.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, UrlError> {
        let hosts = url::hosts(config)?;
        let seeds: Vec<_> = hosts
            .iter()
            .filter_map(url::host_and_port)
            .map(|(host, port)| NodeAddress {
                host: host.to_owned(),
                port,
            })
            .collect();
        let address: Vec<_> = seeds.iter().map(NodeAddress::to_string).collect();
        Ok(Self(Arc::new(ClusterInner {
            address: address.join(",").into(),
            template: hosts[0].clone(),
            seeds,
            connections: config.connections,
            timeout: config.timeout,
            state: Mutex::default(),
            last_refresh: tokio::sync::Mutex::new(None),
            refreshing: AtomicBool::new(false),
            rotation: AtomicUsize::new(0),
        })))
    }

    /// The addresses that the URL names.
    pub(crate) fn address(&self) -> Arc<str> {
        Arc::clone(&self.0.address)
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Of an operation that begins now.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    /// All masters, after a refresh.
    pub(crate) async fn masters(&self) -> Result<Vec<Arc<ConnectionPool>>, RedisFailure> {
        self.refresh(self.deadline()).await?;
        let slots = self.slots();
        slots
            .masters()
            .into_iter()
            .map(|address| self.pool(address))
            .collect()
    }

    /// Succeeds if any master answers: users whose hash slots it serves can be served. Logs the unserved hash slots when they change.
    pub(crate) async fn ping(&self) -> Result<(), RedisFailure> {
        let slots = self.slots();
        let asked = slots.masters().into_iter().map(async |address| {
            let answer = match self.pool(address) {
                Ok(pool) => pool.command::<()>(&cmd("PING")).await,
                Err(failure) => Err(failure),
            };
            (address, answer)
        });
        let (mut unreachable, mut failed, mut answered) = (BTreeSet::new(), None, false);
        for (address, answer) in join_all(asked).await {
            match answer {
                Ok(()) => answered = true,
                Err(failure) => {
                    unreachable.insert(address.clone());
                    failed = Some(failure);
                }
            }
        }
        let uncovered = slots.uncovered(&unreachable);
        if !uncovered.is_empty() {
            self.refresh_in_background();
        }
        self.log_uncovered(uncovered);
        if answered {
            Ok(())
        } else {
            Err(failed.unwrap_or_else(|| self.no_slot_map()))
        }
    }

    /// How many connections to the masters are configured, and how many are open.
    pub(crate) fn count(&self) -> (usize, usize) {
        let state = self.state();
        let masters = state.slots.masters();
        let counts = state
            .pools
            .iter()
            .filter(|(address, _)| masters.contains(address))
            .map(|(_, pool)| pool.count());
        counts.fold((0, 0), |(all, open), (some, live)| {
            (all + some, open + live)
        })
    }

    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.pools.values().for_each(|pool| pool.close());
    }

    /// Who serves the hash slot, as far as is known.
    pub(crate) fn known_master(&self, slot: u16) -> Option<NodeAddress> {
        self.slots().master(slot).cloned()
    }

    /// Who serves the hash slot. Refreshes the slot map if no master of it is known.
    pub(crate) async fn master(
        &self,
        slot: u16,
        deadline: Instant,
    ) -> Result<NodeAddress, RedisFailure> {
        if let Some(address) = self.known_master(slot) {
            return Ok(address);
        }
        self.refresh(deadline).await?;
        self.known_master(slot)
            .ok_or_else(|| RedisFailure::UncoveredSlot {
                address: self.address(),
                slot,
            })
    }

    /// The connections to a node.
    pub(crate) fn pool(&self, address: &NodeAddress) -> Result<Arc<ConnectionPool>, RedisFailure> {
        let mut state = self.state();
        if state.closed {
            return Err(RedisFailure::Closed);
        }
        let inner = &self.0;
        let new_pool = || {
            let info = url::with_address(&inner.template, &address.host, address.port);
            let endpoint = RedisEndpoint::Server(info);
            let pool = ConnectionPool::new(endpoint, inner.connections, inner.timeout);
            Arc::new(pool)
        };
        let pool = state.pools.entry(address.clone()).or_insert_with(new_pool);
        Ok(Arc::clone(pool))
    }

    /// Reads the slot map, one caller at a time. One that was read less than [`REFRESH_PAUSE`] ago is kept.
    pub(crate) async fn refresh(&self, deadline: Instant) -> Result<(), RedisFailure> {
        let Ok(mut last) = timeout_at(deadline, self.0.last_refresh.lock()).await else {
            return Err(self.no_slot_map());
        };
        let begun = Instant::now();
        if last.is_some_and(|last| begun < last + REFRESH_PAUSE) {
            return Ok(());
        }
        *last = Some(begun);
        let slots = timeout_at(deadline, self.read_slots())
            .await
            .map_err(|_| self.no_slot_map())??;
        let mut state = self.state();
        // A pool that is dropped here may still be in use by a request, which holds it.
        let masters = slots.masters();
        state.pools.retain(|address, _| masters.contains(address));
        if *state.slots != slots {
            tracing::info!(redis = %self.0.address, masters = masters.len(), "the Redis Cluster's hash slots are served by others now");
            state.slots = Arc::new(slots);
        }
        Ok(())
    }

    /// Asks a few nodes at once, starting with another one each time, until one answers.
    async fn read_slots(&self) -> Result<SlotMap, RedisFailure> {
        let known = self.slots();
        let masters = known.masters();
        let seeds = self.0.seeds.iter().filter(|seed| !masters.contains(seed));
        let mut addresses: Vec<&NodeAddress> = masters.iter().copied().chain(seeds).collect();
        let first = self.0.rotation.fetch_add(1, Ordering::Relaxed) % addresses.len().max(1);
        addresses.rotate_left(first);
        let mut nodes = addresses
            .into_iter()
            .map(|address| Ok((address, self.pool(address)?)))
            .collect::<Result<Vec<_>, RedisFailure>>()?;
        nodes.sort_by_key(|(_, pool)| pool.is_down());
        let mut failed = None;
        for some in nodes.chunks(ASKED_AT_ONCE) {
            let mut answers: FuturesUnordered<_> = some
                .iter()
                .map(async |(address, pool)| {
                    (*address, pool.command(cmd("CLUSTER").arg("SLOTS")).await)
                })
                .collect();
            while let Some((address, answer)) = answers.next().await {
                match answer.map(|answer| SlotMap::parse(&answer, &address.host)) {
                    Ok(Some(slots)) => return Ok(slots),
                    Ok(None) => {}
                    Err(RedisFailure::Command { source, .. })
                        if mentions(&source, "cluster support disabled") =>
                    {
                        return Err(RedisFailure::Unsuitable {
                            address: address.to_string().into(),
                            source: UnsuitableServer::NoCluster,
                        });
                    }
                    Err(failure) => failed = Some(failure),
                }
            }
        }
        Err(failed.unwrap_or_else(|| self.no_slot_map()))
    }

    pub(crate) fn refresh_in_background(&self) {
        if !self.0.refreshing.swap(true, Ordering::AcqRel) {
            let cluster = self.clone();
            tokio::spawn(async move {
                let refreshed = cluster.refresh(cluster.deadline()).await;
                cluster.0.refreshing.store(false, Ordering::Release);
                if let Err(failure) = refreshed {
                    tracing::debug!(
                        error = &failure as &dyn std::error::Error,
                        "could not read the slot map of the Redis Cluster"
                    );
                }
            });
        }
    }

    fn log_uncovered(&self, uncovered: String) {
        let mut state = self.state();
        if state.uncovered != uncovered {
            if uncovered.is_empty() {
                tracing::info!(redis = %self.0.address, "every hash slot of the Redis Cluster is served again");
            } else {
                tracing::warn!(redis = %self.0.address, slots = uncovered, "hash slots of the Redis Cluster are not served; their users get 503");
            }
            state.uncovered = uncovered;
        }
    }

    pub(crate) fn no_slot_map(&self) -> RedisFailure {
        RedisFailure::NoSlotMap {
            address: self.address(),
        }
    }

    fn slots(&self) -> Arc<SlotMap> {
        Arc::clone(&self.state().slots)
    }

    fn state(&self) -> MutexGuard<'_, ClusterState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
