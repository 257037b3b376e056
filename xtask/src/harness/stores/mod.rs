//! Redis and Postgres for tests and experiments, each reached by the first way that works: a URL from the environment, a container, a
//! local server. Whoever starts them owns them; nothing of them outlives the owner.

mod certificates;
mod containers;
mod engine;
mod group;
mod install;
mod kind;
mod local;
mod probe;
mod program;
pub(crate) mod redis;
pub(crate) mod schema;
mod set;

use std::fmt;

use anyhow::{Result, anyhow, bail};

use self::program::Program;
pub(crate) use self::{kind::Kind, set::Stores};

/// Where stores may come from.
#[derive(Debug, Clone, Default, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// No containers: servers installed on this machine, on free ports with temporary data
    #[arg(long)]
    pub(crate) local: bool,
}

/// One store that answers.
#[derive(Debug)]
pub(crate) struct Store {
    kind: Kind,
    url: String,
    how: String,
    server: Server,
}

#[derive(Debug)]
enum Server {
    /// Somebody else's: it is used, never stopped.
    Foreign,
    Container(containers::Server),
    Local(Box<local::Server>),
}

impl Store {
    /// Starts one store by the first way that works.
    pub(crate) async fn start(kind: Kind, args: &Args) -> Result<Self> {
        if let Some(url) = std::env::var(kind.url_variable())
            .ok()
            .filter(|url| !url.is_empty())
        {
            let how = format!("given by {}", kind.url_variable());
            return Ok(Self {
                kind,
                url,
                how,
                server: Server::Foreign,
            });
        }
        Self::start_own(kind, args).await
    }

    /// Starts one store of our own by the first way that works.
    pub(crate) async fn start_own(kind: Kind, args: &Args) -> Result<Self> {
        Self::start_tuned(kind, args, &[]).await
    }

    /// The same, with more words on the server's command line; they win over ours.
    pub(crate) async fn start_tuned(kind: Kind, args: &Args, words: &[&str]) -> Result<Self> {
        let container = if args.local {
            Err(anyhow!("--local was given"))
        } else {
            containers::start(kind, words).await
        };
        let why_no_container = match container {
            Ok((server, url)) => {
                return Ok(Self {
                    kind,
                    url,
                    how: format!("container of {}", kind.image()),
                    server: Server::Container(server),
                });
            }
            Err(error) => error,
        };
        if !args.local {
            eprintln!("{kind}: no container ({why_no_container:#}), looking for a local server");
        }
        let mut program = Program::find(kind).await;
        if program.is_none() && install::possible().await {
            install::run(kind).await?;
            program = Program::find(kind).await;
        }
        let Some(program) = program else {
            bail!(
                "{kind} cannot be reached: no container ({why_no_container:#}), and no server is installed here. Start a container engine \
                 that has or can pull {image}, or install {package}, or set {variable}; `--allow-skip` leaves its tests out",
                image = kind.image(),
                package = kind.package(),
                variable = kind.url_variable(),
            );
        };
        let how = format!("local server {program}");
        let (server, url) = local::start(program, words).await?;
        Ok(Self {
            kind,
            url,
            how,
            server: Server::Local(Box::new(server)),
        })
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The process of a local server of ours.
    pub(crate) fn pid(&self) -> Option<u32> {
        match &self.server {
            Server::Local(server) => server.pid(),
            Server::Foreign | Server::Container(_) => None,
        }
    }

    /// Where a local server of ours keeps its files.
    pub(crate) fn data(&self) -> Option<std::path::PathBuf> {
        match &self.server {
            Server::Local(server) => Some(server.data()),
            Server::Foreign | Server::Container(_) => None,
        }
    }

    /// Stops the server in its tracks: it keeps its connections and says nothing until `resume`.
    pub(crate) async fn pause(&self) -> Result<()> {
        match &self.server {
            Server::Foreign => bail!(
                "{} is not ours to pause: unset {}",
                self.kind,
                self.kind.url_variable()
            ),
            Server::Container(server) => server.pause().await,
            Server::Local(server) => server.pause(),
        }
    }

    /// Lets it go on.
    pub(crate) async fn resume(&self) -> Result<()> {
        match &self.server {
            Server::Foreign => bail!(
                "{} is not ours to resume: unset {}",
                self.kind,
                self.kind.url_variable()
            ),
            Server::Container(server) => server.resume().await,
            Server::Local(server) => server.resume(),
        }
    }

    /// Ends the server in order, as an administrator would; its data stay.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        match &mut self.server {
            Server::Foreign => bail!(
                "{} is not ours to stop: unset {}",
                self.kind,
                self.kind.url_variable()
            ),
            Server::Container(server) => server.stop().await,
            Server::Local(server) => server.stop().await,
        }
    }

    /// Ends the server like `kill -9`; what it wrote stays.
    pub(crate) async fn kill(&mut self) -> Result<()> {
        match &mut self.server {
            Server::Foreign => bail!(
                "{} is not ours to kill: unset {}",
                self.kind,
                self.kind.url_variable()
            ),
            Server::Container(server) => server.kill().await,
            Server::Local(server) => server.kill().await,
        }
    }

    /// Starts the server again after `stop` or `kill`, at the same address with the same data, and waits until it answers.
    pub(crate) async fn restart(&mut self) -> Result<()> {
        match &mut self.server {
            Server::Foreign => bail!(
                "{} is not ours to start: unset {}",
                self.kind,
                self.kind.url_variable()
            ),
            Server::Container(server) => server.restart().await,
            Server::Local(server) => server.restart().await,
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What is before the @ is a password.
        let address = self
            .url
            .rsplit_once('@')
            .map_or(self.url.as_str(), |(_, address)| address);
        write!(f, "{}: {} ({address})", self.kind, self.how)
    }
}
