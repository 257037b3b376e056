//! A TCP proxy in front of a store: the store can go away for the service behind it, and for nobody else.

use std::{io, sync::Arc};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};
use url::Url;

/// How a store is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Connections break, and new ones are closed at once.
    Cut,
    /// Connections stay open, and nothing comes through: what is on its way arrives later.
    Silent,
    /// What the service says comes through and is done; the answers arrive later, if anybody still waits.
    Deaf,
}

/// A proxy that serves until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<watch::Sender<Option<Failure>>>,
}

impl Proxy {
    /// Starts one on a free port.
    pub(crate) async fn start(store: &Url, default_port: u16) -> Result<Self> {
        let target = (store.host_str().context("the store's URL has no host")?.to_owned(), store.port().unwrap_or(default_port));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port is free")?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(watch::Sender::new(None));
        let seen = state.subscribe();
        tokio::spawn(async move {
            let mut ended = seen.clone();
            loop {
                let client = tokio::select! {
                    accepted = listener.accept() => accepted,
                    // Nobody can take the store away any more: the run is over.
                    _ = ended.wait_for(|_| false) => return,
                };
                let Ok((client, _)) = client else { continue };
                if *seen.borrow() != Some(Failure::Cut) {
                    let (target, state) = (target.clone(), seen.clone());
                    tokio::spawn(async move { drop(connect(client, target, state).await) });
                }
            }
        });
        Ok(Self { port, state })
    }

    /// The URL of the store through this proxy.
    pub(crate) fn before(&self, store: &Url) -> Result<Url> {
        let mut url = store.clone();
        url.set_host(Some("127.0.0.1")).context("the store's URL has no host")?;
        url.set_port(Some(self.port)).ok().context("the store's URL has no port")?;
        Ok(url)
    }

    /// Takes the store away.
    pub(crate) fn fail(&self, how: Failure) {
        self.state.send_replace(Some(how));
    }

    /// Gives it back.
    pub(crate) fn recover(&self) {
        self.state.send_replace(None);
    }
}

async fn connect(client: TcpStream, target: (String, u16), mut state: watch::Receiver<Option<Failure>>) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let there = pump(from_client, to_server, state.clone(), &[Failure::Silent]);
    let back = pump(from_server, to_client, state.clone(), &[Failure::Silent, Failure::Deaf]);
    tokio::select! {
        end = there => end,
        end = back => end,
        _ = state.wait_for(|state| *state == Some(Failure::Cut)) => Ok(()),
    }
}

/// Carries bytes one way, for as long as nothing holds them up.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<Option<Failure>>,
    held_up_by: &[Failure],
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        let free = |state: &Option<Failure>| state.is_none_or(|failure| !held_up_by.contains(&failure));
        if length == 0 || state.wait_for(free).await.is_err() {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    async fn echo() -> Url {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("redis://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut from, mut to) = stream.into_split();
                    tokio::io::copy(&mut from, &mut to).await
                });
            }
        });
        url
    }

    async fn dial(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(("127.0.0.1", proxy.port)).await.unwrap()
    }

    #[tokio::test]
    async fn a_store_goes_away_and_comes_back() {
        let proxy = Proxy::start(&echo().await, 1).await.unwrap();
        let mut stream = dial(&proxy).await;
        let mut byte = [0];
        stream.write_all(b"a").await.unwrap();
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);

        proxy.fail(Failure::Silent);
        stream.write_all(b"b").await.unwrap();
        assert!(timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err());
        proxy.recover();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"b"));

        proxy.fail(Failure::Deaf);
        stream.write_all(b"d").await.unwrap();
        assert!(timeout(Duration::from_millis(50), stream.read(&mut byte)).await.is_err());
        proxy.recover();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"d"));

        proxy.fail(Failure::Cut);
        assert_eq!(stream.read(&mut byte).await.unwrap_or(0), 0);
        assert_eq!(dial(&proxy).await.read(&mut byte).await.unwrap_or(0), 0);
        proxy.recover();
        let mut stream = dial(&proxy).await;
        stream.write_all(b"c").await.unwrap();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"c"));
    }
}
