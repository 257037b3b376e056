//! Which servers belong to a group, and the script that starts them.

use std::time::Duration;

use crate::harness::stores::kind::StoreKind;

/// The line that a script prints when its servers serve.
pub(super) const READY: &str = "revolve-ready";
pub(super) const START: Duration = Duration::from_mins(2);

/// Servers to start together.
#[derive(Debug, Clone)]
pub(crate) struct GroupSpec {
    /// For messages.
    pub(crate) name: &'static str,
    pub(crate) kind: StoreKind,
    script: &'static str,
    /// The script's arguments before the ports.
    leading_arguments: &'static [&'static str],
    /// How many ports clients connect to, and how many only the servers use.
    pub(super) ports: (usize, usize),
    /// Files for the script: names and contents.
    pub(crate) files: Vec<(&'static str, String)>,
}

impl GroupSpec {
    /// A Redis in plain text and TLS, and one that wants certificates of its clients. Ports: plain, TLS, with certificates.
    pub(crate) fn redis_tls() -> Self {
        Self::new(
            "redis over TLS",
            StoreKind::Redis,
            include_str!("scripts/redis-tls.sh"),
            &[],
            (3, 0),
        )
    }

    /// A Postgres in TLS only.
    pub(crate) fn postgres_tls() -> Self {
        Self::new(
            "postgres over TLS",
            StoreKind::Postgres,
            include_str!("scripts/postgres-tls.sh"),
            &[],
            (1, 0),
        )
    }

    /// Three masters.
    pub(crate) fn cluster() -> Self {
        Self::new(
            "redis cluster of 3 masters",
            StoreKind::Redis,
            include_str!("scripts/redis-cluster.sh"),
            &["0"],
            (3, 3),
        )
    }

    /// Three masters with a replica each, for tests that end some.
    pub(crate) fn failover_cluster() -> Self {
        Self::new(
            "redis cluster of 3 masters and 3 replicas",
            StoreKind::Redis,
            include_str!("scripts/redis-cluster.sh"),
            &["1"],
            (6, 6),
        )
    }

    /// A master, a replica, three Sentinels. Ports in this order.
    pub(crate) fn sentinels() -> Self {
        Self::new(
            "redis with 3 sentinels",
            StoreKind::Redis,
            include_str!("scripts/redis-sentinel.sh"),
            &[],
            (5, 0),
        )
    }

    /// A primary and a standby.
    pub(crate) fn postgres_replica() -> Self {
        Self::new(
            "postgres with a standby",
            StoreKind::Postgres,
            include_str!("scripts/postgres-replica.sh"),
            &[],
            (2, 0),
        )
    }

    fn new(
        name: &'static str,
        kind: StoreKind,
        script: &'static str,
        arguments: &'static [&'static str],
        ports: (usize, usize),
    ) -> Self {
        Self {
            name,
            kind,
            script,
            leading_arguments: arguments,
            ports,
            files: Vec::new(),
        }
    }

    pub(super) fn full_script(&self) -> String {
        format!("{}\n{}", include_str!("scripts/common.sh"), self.script)
    }

    pub(super) fn arguments(&self, ports: &[u16]) -> Vec<String> {
        self.leading_arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .chain(ports.iter().map(u16::to_string))
            .collect()
    }
}
