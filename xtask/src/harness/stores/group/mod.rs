//! Several servers that belong together and know of each other: in one container, or as local servers. The same shell script starts them in
//! both, and the line `revolve-ready` ends the wait for them.

mod container_group;
mod local_group;
mod spec;

use std::{fmt, net::TcpListener};

use anyhow::{Context as _, Result, anyhow, bail};

use self::{container_group::ContainerGroup, local_group::LocalGroup};
use super::{install, program::Program, store::Args};

pub(crate) use self::spec::GroupSpec;

const ATTEMPTS: u32 = 3;

/// Servers that run until this is dropped.
#[derive(Debug)]
pub(crate) struct Group {
    name: &'static str,
    how: String,
    ports: Vec<u16>,
    host: String,
    _backing: GroupBacking,
}

/// Held, so that the servers go on.
#[derive(Debug)]
enum GroupBacking {
    Container { _guard: ContainerGroup },
    Local { _guard: Box<LocalGroup> },
}

impl Group {
    /// Starts the servers by the first way that works.
    pub(crate) async fn start(spec: &GroupSpec, args: &Args) -> Result<Self> {
        let container = if args.local {
            Err(anyhow!("--local was given"))
        } else {
            container_group::prepare(spec).await
        };
        let why_no_container = match container {
            Ok(()) => return Self::attempts(spec, None).await,
            Err(error) => error,
        };
        let Some(program) = install::find_or_install(spec.kind).await? else {
            bail!(
                "{} can't be started: no container ({why_no_container:#}), and {} is not installed",
                spec.name,
                spec.kind.package()
            );
        };
        Self::attempts(spec, Some(&program)).await
    }

    async fn attempts(spec: &GroupSpec, program: Option<&Program>) -> Result<Self> {
        let mut attempt = 1;
        loop {
            match Self::launch(spec, program).await {
                // Another process may have taken a port in between.
                Err(error) if attempt < ATTEMPTS => {
                    eprintln!("{}: {error:#}; once more", spec.name);
                    attempt += 1;
                }
                outcome => {
                    return outcome.with_context(|| format!("{} can't be started", spec.name));
                }
            }
        }
    }

    async fn launch(spec: &GroupSpec, program: Option<&Program>) -> Result<Self> {
        let ports = free_ports(spec.ports.0 + spec.ports.1)?;
        let (how, host, backing) = if let Some(program) = program {
            let server = local_group::start(spec, program, &ports).await?;
            (
                format!("local servers {program}"),
                "127.0.0.1".to_owned(),
                GroupBacking::Local {
                    _guard: Box::new(server),
                },
            )
        } else {
            let (server, host) = container_group::start(spec, &ports).await?;
            (
                format!("container of {}", spec.kind.image()),
                host,
                GroupBacking::Container { _guard: server },
            )
        };
        Ok(Self {
            name: spec.name,
            how,
            ports: ports[..spec.ports.0].to_vec(),
            host,
            _backing: backing,
        })
    }

    /// The address of one of its servers.
    pub(crate) fn address(&self, number: usize) -> String {
        format!("{}:{}", self.host, self.ports[number])
    }

    /// The addresses of several of its servers, separated by commas.
    pub(crate) fn addresses(&self, numbers: std::ops::Range<usize>) -> String {
        numbers
            .map(|number| self.address(number))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// The port of one of its servers.
    pub(crate) fn port(&self, number: usize) -> u16 {
        self.ports[number]
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.name, self.how, self.address(0))
    }
}

/// Free ports, all different.
fn free_ports(number: usize) -> Result<Vec<u16>> {
    let held = (0..number)
        .map(|_| TcpListener::bind(("127.0.0.1", 0)))
        .collect::<Result<Vec<_>, _>>()?;
    held.iter()
        .map(|held| Ok(held.local_addr()?.port()))
        .collect()
}
