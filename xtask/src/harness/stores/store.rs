//! One store, wherever it runs.

use std::{fmt, path::PathBuf};

use anyhow::{Error, Result, anyhow, bail};

use super::{
    containers::{self, ContainerServer},
    install,
    kind::StoreKind,
    local::{self, LocalServer},
};

/// Where stores may come from.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// Use servers installed on this machine, on free ports with temporary data, instead of containers
    #[arg(long)]
    pub(crate) local: bool,
    /// Nobody ends or restarts the servers: the data of containers may be in memory
    #[arg(skip)]
    pub(crate) in_memory: bool,
}

impl Args {
    pub(crate) fn local() -> Self {
        Self {
            local: true,
            in_memory: false,
        }
    }
}

/// A store that answers.
#[derive(Debug)]
pub(crate) struct Store {
    kind: StoreKind,
    url: String,
    how: String,
    backing: StoreSource,
}

#[derive(Debug)]
enum StoreSource {
    /// Given by the environment: it is used and never stopped.
    Foreign,
    Container(ContainerServer),
    Local(Box<LocalServer>),
}

impl Store {
    /// Takes the store that the environment names, or starts one.
    pub(crate) async fn start(kind: StoreKind, args: &Args) -> Result<Self> {
        if let Some(url) = std::env::var(kind.url_variable())
            .ok()
            .filter(|url| !url.is_empty())
        {
            let how = format!("given by {}", kind.url_variable());
            return Ok(Self {
                kind,
                url,
                how,
                backing: StoreSource::Foreign,
            });
        }
        Self::start_own(kind, args).await
    }

    /// Starts a store, whatever the environment names.
    pub(crate) async fn start_own(kind: StoreKind, args: &Args) -> Result<Self> {
        Self::start_tuned(kind, args, &[]).await
    }

    /// The same with more arguments for the server, which override ours.
    pub(crate) async fn start_tuned(
        kind: StoreKind,
        args: &Args,
        arguments: &[&str],
    ) -> Result<Self> {
        let container = if args.local {
            Err(anyhow!("--local was given"))
        } else {
            containers::start(kind, arguments, args.in_memory).await
        };
        let why_no_container = match container {
            Ok((server, url)) => {
                return Ok(Self {
                    kind,
                    url,
                    how: format!("container of {}", kind.image()),
                    backing: StoreSource::Container(server),
                });
            }
            Err(error) => error,
        };
        if !args.local {
            eprintln!("{kind}: no container ({why_no_container:#}), looking for a local server");
        }
        let Some(program) = install::find_or_install(kind).await? else {
            bail!(
                "{kind} cannot be reached: no container ({why_no_container:#}), and no server is installed here. Start a container engine \
                 that has or can pull {image}, or install {package}, or set {variable}; `--allow-skip` leaves its tests out",
                image = kind.image(),
                package = kind.package(),
                variable = kind.url_variable(),
            );
        };
        let how = format!("local server {program}");
        let (server, url) = local::start(program, arguments).await?;
        Ok(Self {
            kind,
            url,
            how,
            backing: StoreSource::Local(Box::new(server)),
        })
    }

    pub(crate) fn kind(&self) -> StoreKind {
        self.kind
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The process of a local server.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.local()?.pid()
    }

    /// Where a local server keeps its files.
    pub(crate) fn data(&self) -> Option<PathBuf> {
        self.local().map(LocalServer::data)
    }

    fn local(&self) -> Option<&LocalServer> {
        match &self.backing {
            StoreSource::Local(server) => Some(server),
            StoreSource::Foreign | StoreSource::Container(_) => None,
        }
    }

    /// Suspends the server: it keeps its connections and answers nothing until `resume`.
    pub(crate) async fn pause(&self) -> Result<()> {
        match &self.backing {
            StoreSource::Foreign => Err(self.kind.not_ours("pause")),
            StoreSource::Container(server) => server.pause().await,
            StoreSource::Local(server) => server.pause(),
        }
    }

    pub(crate) async fn resume(&self) -> Result<()> {
        match &self.backing {
            StoreSource::Foreign => Err(self.kind.not_ours("resume")),
            StoreSource::Container(server) => server.resume().await,
            StoreSource::Local(server) => server.resume(),
        }
    }

    /// Stops the server in order, as an administrator would; its data stay.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        match &mut self.backing {
            StoreSource::Foreign => Err(self.kind.not_ours("stop")),
            StoreSource::Container(server) => server.stop().await,
            StoreSource::Local(server) => server.stop().await,
        }
    }

    /// Ends the server like `kill -9`; what it wrote stays.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        match &mut self.backing {
            StoreSource::Foreign => Err(self.kind.not_ours("kill")),
            StoreSource::Container(server) => server.kill().await,
            StoreSource::Local(server) => server.kill().await,
        }
    }

    /// Starts the server again after `stop` or `kill`, at the same address with the same data, and waits until it answers.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        match &mut self.backing {
            StoreSource::Foreign => Err(self.kind.not_ours("start")),
            StoreSource::Container(server) => server.restart().await,
            StoreSource::Local(server) => server.restart().await,
        }
    }

    /// Stops a local server; containers are removed by their owner's label.
    pub(super) async fn shut_down(self) {
        if let StoreSource::Local(mut server) = self.backing
            && let Err(error) = server.stop().await
        {
            eprintln!("{}: {error:#}", self.kind);
        }
    }
}

impl StoreKind {
    fn not_ours(self, verb: &str) -> Error {
        anyhow!(
            "{self} was not started here, so it is not ours to {verb}: unset {}",
            self.url_variable()
        )
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The part before the @ has the password.
        let address = self
            .url
            .rsplit_once('@')
            .map_or(self.url.as_str(), |(_, address)| address);
        write!(f, "{}: {} ({address})", self.kind, self.how)
    }
}
