//! Redis Cluster: who serves a hash slot, and what is done when that changes. Each master has connections of its own, as a single server
//! has them, so that one that is gone holds up nobody whose keys are elsewhere.
//!
//! Only masters are asked, for reads too: a replica may not know yet what its master has acknowledged.

use super::{
    config::RedisConfig,
    connect::Way,
    failure::Failure,
    pool::Node,
    routing::Route,
    server_info::Unfit,
    slot_map::{Map, Place},
    url,
    url::UrlError,
};
use deadpool_redis::redis::{ConnectionInfo, FromRedisValue, ScriptInvocation, cmd};
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

/// Between two looks at who serves what.
const PAUSE: Duration = Duration::from_millis(100);
/// So many nodes are asked at once; the first that knows will do.
const ASKED: usize = 5;

/// The cluster. A clone is the same.
#[derive(Clone)]
pub(crate) struct Cluster(pub(super) Arc<Inner>);

pub(crate) struct Inner {
    pub(super) address: Arc<str>,
    /// How a node is reached, but for its address.
    template: ConnectionInfo,
    /// Those that the URL names.
    seeds: Vec<Place>,
    connections: usize,
    pub(super) timeout: Duration,
    state: Mutex<State>,
    /// Held by whoever looks; when the last look began.
    looking: tokio::sync::Mutex<Option<Instant>>,
    /// A look in the background is due.
    due: AtomicBool,
    turn: AtomicUsize,
}

#[derive(Default)]
struct State {
    map: Arc<Map>,
    nodes: BTreeMap<Place, Arc<Node>>,
    /// The hash slots that nobody served when it was last asked.
    degraded: String,
    closed: bool,
}

impl Cluster {
    /// Nothing is dialled yet.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, UrlError> {
        let hosts = url::hosts(config)?;
        let seeds: Vec<_> = hosts
            .iter()
            .filter_map(url::place)
            .map(|(host, port)| Place {
                host: host.to_owned(),
                port,
            })
            .collect();
        let address: Vec<_> = seeds.iter().map(Place::to_string).collect();
        Ok(Self(Arc::new(Inner {
            address: address.join(",").into(),
            template: hosts[0].clone(),
            seeds,
            connections: config.connections,
            timeout: config.timeout,
            state: Mutex::default(),
            looking: tokio::sync::Mutex::new(None),
            due: AtomicBool::new(false),
            turn: AtomicUsize::new(0),
        })))
    }

    pub(crate) fn address(&self) -> Arc<str> {
        Arc::clone(&self.0.address)
    }

    /// Calls a script on the master of its keys' hash slot.
    pub(crate) async fn call<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, Failure> {
        let mut route = Route::new(self);
        let outcome = call.invoke_async(&mut route).await;
        outcome.map_err(|source| route.judge(source))
    }

    /// All masters, after a fresh look at which there are.
    pub(crate) async fn masters(&self) -> Result<Vec<Arc<Node>>, Failure> {
        self.look(self.deadline()).await?;
        let map = self.map();
        map.masters()
            .into_iter()
            .map(|place| self.node(place))
            .collect()
    }

    /// Whether any master answers. Hash slots that nobody serves are logged when they change: users elsewhere are served all the same, so
    /// the service is of use.
    pub(crate) async fn ping(&self) -> Result<(), Failure> {
        let map = self.map();
        let asked = map.masters().into_iter().map(async |place| {
            let answer = match self.node(place) {
                Ok(node) => node.command::<()>(&cmd("PING")).await,
                Err(failure) => Err(failure),
            };
            (place, answer)
        });
        let (mut silent, mut failed, mut answered) = (BTreeSet::new(), None, false);
        for (place, answer) in join_all(asked).await {
            match answer {
                Ok(()) => answered = true,
                Err(failure) => {
                    silent.insert(place.clone());
                    failed = Some(failure);
                }
            }
        }
        let gaps = map.without(&silent);
        if !gaps.is_empty() {
            self.look_soon();
        }
        self.tell(gaps);
        if answered {
            Ok(())
        } else {
            Err(failed.unwrap_or_else(|| self.no_map()))
        }
    }

    /// How many connections to the masters there should be, and how many are open.
    pub(crate) fn count(&self) -> (usize, usize) {
        let state = self.state();
        let counts = state
            .nodes
            .iter()
            .filter(|(place, _)| state.map.masters().contains(place))
            .map(|(_, node)| node.count());
        counts.fold((0, 0), |(all, open), (some, live)| {
            (all + some, open + live)
        })
    }

    /// Lets go of all.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.nodes.values().for_each(|node| node.close());
    }

    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.0.timeout
    }

    pub(super) fn map(&self) -> Arc<Map> {
        Arc::clone(&self.state().map)
    }

    /// The connections to a node.
    pub(super) fn node(&self, place: &Place) -> Result<Arc<Node>, Failure> {
        let mut state = self.state();
        if state.closed {
            return Err(Failure::Closed);
        }
        let inner = &self.0;
        let make = || {
            Arc::new(Node::new(
                Way::Fixed(url::at(&inner.template, &place.host, place.port)),
                inner.connections,
                inner.timeout,
            ))
        };
        Ok(Arc::clone(
            state.nodes.entry(place.clone()).or_insert_with(make),
        ))
    }

    /// Asks who serves what, one caller at a time, and not again and again: what was asked a moment ago holds for whoever comes then.
    pub(super) async fn look(&self, deadline: Instant) -> Result<(), Failure> {
        let Ok(mut last) = timeout_at(deadline, self.0.looking.lock()).await else {
            return Err(self.no_map());
        };
        let begun = Instant::now();
        if last.is_some_and(|last| begun < last + PAUSE) {
            return Ok(());
        }
        *last = Some(begun);
        let map = timeout_at(deadline, self.ask())
            .await
            .map_err(|_| self.no_map())??;
        let mut state = self.state();
        // A node that is no master any more may still be answering somebody, who holds on to it.
        state.nodes.retain(|place, _| map.masters().contains(place));
        if *state.map != map {
            tracing::info!(redis = %self.0.address, masters = map.masters().len(), "the Redis Cluster's hash slots are served by others now");
            state.map = Arc::new(map);
        }
        Ok(())
    }

    /// Asks a few nodes at once, others each time, and more until one knows.
    async fn ask(&self) -> Result<Map, Failure> {
        let mut places: Vec<Place> = self.map().masters().into_iter().cloned().collect();
        places.extend(
            self.0
                .seeds
                .iter()
                .filter(|seed| !self.map().masters().contains(seed))
                .cloned(),
        );
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed) % places.len().max(1);
        places.rotate_left(turn);
        let mut nodes = places
            .iter()
            .map(|place| Ok((place, self.node(place)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        nodes.sort_by_key(|(_, node)| node.rests());
        let mut failed = None;
        for some in nodes.chunks(ASKED) {
            let mut answers: FuturesUnordered<_> = some
                .iter()
                .map(async |(place, node)| (place, node.command(cmd("CLUSTER").arg("SLOTS")).await))
                .collect();
            while let Some((place, answer)) = answers.next().await {
                match answer.map(|answer| Map::read(&answer, &place.host)) {
                    Ok(Some(map)) => return Ok(map),
                    Ok(None) => {}
                    Err(Failure::Command { source, .. })
                        if source
                            .detail()
                            .is_some_and(|detail| detail.contains("cluster support disabled")) =>
                    {
                        return Err(Failure::Unfit {
                            address: place.to_string().into(),
                            source: Unfit::NoCluster,
                        });
                    }
                    Err(failure) => failed = Some(failure),
                }
            }
        }
        Err(failed.unwrap_or_else(|| self.no_map()))
    }

    /// Looks in the background.
    pub(super) fn look_soon(&self) {
        if !self.0.due.swap(true, Ordering::AcqRel) {
            let cluster = self.clone();
            tokio::spawn(async move {
                let looked = cluster.look(cluster.deadline()).await;
                cluster.0.due.store(false, Ordering::Release);
                if let Err(failure) = looked {
                    tracing::debug!(
                        error = &failure as &dyn std::error::Error,
                        "could not look at the Redis Cluster"
                    );
                }
            });
        }
    }

    fn tell(&self, gaps: String) {
        let mut state = self.state();
        if state.degraded != gaps {
            if gaps.is_empty() {
                tracing::info!(redis = %self.0.address, "every hash slot of the Redis Cluster is served again");
            } else {
                tracing::warn!(redis = %self.0.address, slots = gaps, "hash slots of the Redis Cluster are not served; their users get 503");
            }
            state.degraded = gaps;
        }
    }

    pub(super) fn no_map(&self) -> Failure {
        Failure::NoMap {
            address: self.address(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
