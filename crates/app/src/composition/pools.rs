//! The connections to the stores, as their adapters count them.

use super::Closer;
use revolve_observe::metrics::{Gauges, Labels, lossy};
use std::sync::Arc;

/// How the connections of one store are used.
struct Pool {
    store: &'static str,
    max: usize,
    in_use: usize,
    idle: usize,
    /// Calls that wait for one; unknown where calls share them.
    waiting: Option<usize>,
}

/// What is read at each scrape.
pub(crate) fn pools(closer: &Closer) -> Gauges {
    type Count = Arc<dyn Fn() -> Vec<Pool> + Send + Sync>;
    let count: Count = match closer {
        Closer::Embedded(store) => {
            let store = Arc::clone(store);
            Arc::new(move || {
                let (max, in_use) = store.readers();
                vec![Pool {
                    store: "sqlite",
                    max,
                    in_use,
                    idle: max - in_use,
                    waiting: None,
                }]
            })
        }
        Closer::Server(accounts, tokens) => {
            let (accounts, tokens) = (Arc::clone(accounts), Arc::clone(tokens));
            Arc::new(move || {
                let (pool, (links, open)) = (accounts.pool(), tokens.connections());
                let in_use = pool.open.saturating_sub(pool.idle);
                vec![
                    Pool {
                        store: "postgres",
                        max: pool.max,
                        in_use,
                        idle: pool.idle,
                        waiting: Some(pool.waiting),
                    },
                    // All requests share them, so that an open one is in use.
                    Pool {
                        store: "redis",
                        max: links,
                        in_use: open,
                        idle: 0,
                        waiting: None,
                    },
                ]
            })
        }
    };
    let [max, connections, waiting] = std::array::from_fn(|_| Arc::clone(&count));
    Gauges::new()
        .gauge(
            "pool_connections_max",
            "Connections that a store may have",
            move || {
                max()
                    .iter()
                    .map(|pool| (labels(pool, None), lossy(pool.max)))
                    .collect()
            },
        )
        .gauge(
            "pool_connections",
            "Connections that are open, by state (in_use, idle)",
            move || {
                let both = |pool: &Pool| {
                    [
                        (labels(pool, Some("in_use")), lossy(pool.in_use)),
                        (labels(pool, Some("idle")), lossy(pool.idle)),
                    ]
                };
                connections().iter().flat_map(both).collect()
            },
        )
        .gauge(
            "pool_waiting",
            "Calls that wait for a connection",
            move || {
                waiting()
                    .iter()
                    .filter_map(|pool| Some((labels(pool, None), lossy(pool.waiting?))))
                    .collect()
            },
        )
}

fn labels(pool: &Pool, state: Option<&'static str>) -> Labels {
    let store = ("store", pool.store);
    state.map_or_else(|| vec![store], |state| vec![store, ("state", state)])
}
