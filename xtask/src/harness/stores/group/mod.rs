//! Several servers that belong together, with what they need to know of each other: in one container, or as local servers. A shell script
//! starts them, the same for both, and the line `revolve-ready` ends the wait for them.

mod container;
mod local;

use std::{fmt, net::TcpListener, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};

use super::{Args, Kind, install, program::Program};

const READY: &str = "revolve-ready";
const START: Duration = Duration::from_mins(2);
const ATTEMPTS: u32 = 3;

/// What is to be started.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// What people call it.
    pub(crate) name: &'static str,
    /// Whose image or programs it needs.
    pub(crate) kind: Kind,
    script: &'static str,
    /// Words before the ports.
    words: &'static [&'static str],
    /// How many ports clients connect to, and how many only the servers use.
    ports: (usize, usize),
    /// Files for the script: names and contents.
    pub(crate) files: Vec<(&'static str, String)>,
}

impl Plan {
    /// A Redis in plain text and TLS, and one that wants certificates of its clients. Ports: plain, TLS, with certificates.
    pub(crate) fn redis_tls() -> Self {
        Self::new(
            "redis over TLS",
            Kind::Redis,
            include_str!("scripts/redis-tls.sh"),
            &[],
            (3, 0),
        )
    }

    /// A Postgres in TLS only.
    pub(crate) fn postgres_tls() -> Self {
        Self::new(
            "postgres over TLS",
            Kind::Postgres,
            include_str!("scripts/postgres-tls.sh"),
            &[],
            (1, 0),
        )
    }

    /// Three masters.
    pub(crate) fn cluster() -> Self {
        Self::new(
            "redis cluster of 3 masters",
            Kind::Redis,
            include_str!("scripts/redis-cluster.sh"),
            &["0"],
            (3, 3),
        )
    }

    /// Three masters with a replica each, for tests that end some.
    pub(crate) fn failover_cluster() -> Self {
        Self::new(
            "redis cluster of 3 masters and 3 replicas",
            Kind::Redis,
            include_str!("scripts/redis-cluster.sh"),
            &["1"],
            (6, 6),
        )
    }

    /// A master, a replica, three Sentinels. Ports in this order.
    pub(crate) fn sentinels() -> Self {
        Self::new(
            "redis with 3 sentinels",
            Kind::Redis,
            include_str!("scripts/redis-sentinel.sh"),
            &[],
            (5, 0),
        )
    }

    /// A primary and a standby.
    pub(crate) fn postgres_replica() -> Self {
        Self::new(
            "postgres with a standby",
            Kind::Postgres,
            include_str!("scripts/postgres-replica.sh"),
            &[],
            (2, 0),
        )
    }

    fn new(
        name: &'static str,
        kind: Kind,
        script: &'static str,
        words: &'static [&'static str],
        ports: (usize, usize),
    ) -> Self {
        Self {
            name,
            kind,
            script,
            words,
            ports,
            files: Vec::new(),
        }
    }

    fn text(&self) -> String {
        format!("{}\n{}", include_str!("scripts/common.sh"), self.script)
    }

    fn arguments(&self, ports: &[u16]) -> Vec<String> {
        self.words
            .iter()
            .map(|word| (*word).to_owned())
            .chain(ports.iter().map(u16::to_string))
            .collect()
    }
}

/// Servers that run; dropping them ends them.
#[derive(Debug)]
pub(crate) struct Group {
    name: &'static str,
    how: String,
    ports: Vec<u16>,
    host: String,
    _server: Server,
}

#[derive(Debug)]
enum Server {
    Container { _guard: container::Server },
    Local { _guard: Box<local::Server> },
}

impl Group {
    /// Starts what the plan says by the first way that works.
    pub(crate) async fn start(plan: &Plan, args: &Args) -> Result<Self> {
        let container = if args.local {
            Err(anyhow!("--local was given"))
        } else {
            container::prepare(plan).await
        };
        let why_no_container = match container {
            Ok(()) => return Self::attempts(plan, None).await,
            Err(error) => error,
        };
        let mut program = Program::find(plan.kind).await;
        if program.is_none() && install::possible().await {
            install::run(plan.kind).await?;
            program = Program::find(plan.kind).await;
        }
        let Some(program) = program else {
            bail!(
                "{} can't be started: no container ({why_no_container:#}), and {} is not installed",
                plan.name,
                plan.kind.package()
            );
        };
        Self::attempts(plan, Some(&program)).await
    }

    async fn attempts(plan: &Plan, program: Option<&Program>) -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::launch(plan, program).await {
                // Somebody may have taken a port in between.
                Err(error) if attempt < ATTEMPTS => {
                    eprintln!("{}: {error:#}; once more", plan.name);
                    attempt += 1;
                }
                outcome => {
                    return outcome.with_context(|| format!("{} can't be started", plan.name));
                }
            }
        }
    }

    async fn launch(plan: &Plan, program: Option<&Program>) -> Result<Self> {
        let ports = free(plan.ports.0 + plan.ports.1)?;
        let (how, host, server) = if let Some(program) = program {
            let server = local::start(plan, program, &ports).await?;
            (
                format!("local servers {program}"),
                "127.0.0.1".to_owned(),
                Server::Local {
                    _guard: Box::new(server),
                },
            )
        } else {
            let (server, host) = container::start(plan, &ports).await?;
            (
                format!("container of {}", plan.kind.image()),
                host,
                Server::Container { _guard: server },
            )
        };
        Ok(Self {
            name: plan.name,
            how,
            ports: ports[..plan.ports.0].to_vec(),
            host,
            _server: server,
        })
    }

    /// Where one of its servers is.
    pub(crate) fn address(&self, number: usize) -> String {
        format!("{}:{}", self.host, self.ports[number])
    }

    /// Where several of its servers are, with commas in between.
    pub(crate) fn addresses(&self, numbers: std::ops::Range<usize>) -> String {
        numbers
            .map(|number| self.address(number))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// One of its ports, for a host name of the caller's.
    pub(crate) fn port(&self, number: usize) -> u16 {
        self.ports[number]
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.name, self.how, self.address(0))
    }
}

/// Ports that nobody has right now, all different.
fn free(number: usize) -> Result<Vec<u16>> {
    let held = (0..number)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)))
        .collect::<Result<Vec<_>, _>>()?;
    held.iter()
        .map(|held| Ok(held.local_addr()?.port()))
        .collect()
}
