//! A TCP proxy on a port of its own: what is behind it can be cut off, slowed down or moved for those who connect through it, and for
//! no one else.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::sleep,
};
use url::Url;

/// How the server behind the proxy fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyFailure {
    /// Connections break, and new ones are closed at once.
    Cut,
    /// Connections stay open and carry nothing in either traffic until `recover`.
    Silent,
    /// Requests reach the server, which executes them; its responses are held back until `recover`.
    Deaf,
    /// Each response is delayed by this.
    Slow(Duration),
    /// The connection breaks in the middle of the next response.
    MidAnswer,
    /// The server's side of the connection is closed in place of the next response; requests still reach it.
    HalfClosed,
}

/// Host and port.
type Address = (String, u16);

/// A proxy that serves until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    target: Arc<Mutex<Option<Address>>>,
    failure: watch::Sender<Option<ProxyFailure>>,
    held_back: Arc<AtomicU64>,
}

impl Proxy {
    /// Listens on a free port. Until `lead_to` says where they go, connections are closed at once.
    pub(crate) async fn bind() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("no port is free")?;
        let proxy = Self {
            port: listener.local_addr()?.port(),
            target: Arc::default(),
            failure: watch::Sender::new(None),
            held_back: Arc::default(),
        };
        let (target, held_back) = (Arc::clone(&proxy.target), Arc::clone(&proxy.held_back));
        let failure = proxy.failure.subscribe();
        tokio::spawn(async move {
            let mut dropped = failure.clone();
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    _ = dropped.wait_for(|_| false) => return,
                };
                let target = lock(&target).clone();
                let (Ok((client, _)), Some(target)) = (accepted, target) else {
                    continue;
                };
                if *failure.borrow() != Some(ProxyFailure::Cut) {
                    let (failure, held_back) = (failure.clone(), Arc::clone(&held_back));
                    tokio::spawn(async move {
                        drop(connect(client, target, failure, &held_back).await);
                    });
                }
            }
        });
        Ok(proxy)
    }

    /// A proxy in front of the server at this URL.
    pub(crate) async fn start(server: &Url) -> Result<Self> {
        let proxy = Self::bind().await?;
        proxy.lead_to(server)?;
        Ok(proxy)
    }

    /// The URL of an HTTP server behind the proxy, without a path.
    pub(crate) fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The server's URL through this proxy.
    pub(crate) fn before(&self, server: &Url) -> Result<Url> {
        let mut url = server.clone();
        url.set_host(Some("127.0.0.1"))
            .context("the URL has no host")?;
        url.set_port(Some(self.port))
            .ok()
            .context("the URL has no port")?;
        Ok(url)
    }

    /// Leads new connections to this server, as an address that moves in a failover does.
    pub(crate) fn lead_to(&self, server: &Url) -> Result<()> {
        *lock(&self.target) = Some(address(server)?);
        Ok(())
    }

    pub(crate) fn fail(&self, failure: ProxyFailure) {
        self.failure.send_replace(Some(failure));
    }

    pub(crate) fn recover(&self) {
        self.failure.send_replace(None);
    }

    /// How many responses were held back so far: what they answer was executed.
    pub(crate) fn held_back(&self) -> u64 {
        self.held_back.load(Ordering::Relaxed)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn address(server: &Url) -> Result<Address> {
    let host = server.host_str().context("the URL has no host")?;
    let port = server
        .port_or_known_default()
        .or(match server.scheme() {
            "redis" => Some(6379),
            "postgres" => Some(5432),
            _ => None,
        })
        .context("the URL has no port")?;
    Ok((host.to_owned(), port))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traffic {
    Requests,
    Responses,
}

impl Traffic {
    fn is_held_back_by(self, failure: ProxyFailure) -> bool {
        match failure {
            ProxyFailure::Silent => true,
            ProxyFailure::Deaf => self == Self::Responses,
            _ => false,
        }
    }
}

async fn connect(
    client: TcpStream,
    target: Address,
    mut failure: watch::Receiver<Option<ProxyFailure>>,
    held_back: &AtomicU64,
) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let requests = pump(
        Traffic::Requests,
        (from_client, to_server),
        failure.clone(),
        held_back,
    );
    let responses = pump(
        Traffic::Responses,
        (from_server, to_client),
        failure.clone(),
        held_back,
    );
    tokio::select! {
        end = requests => end,
        end = responses => end,
        _ = failure.wait_for(|failure| *failure == Some(ProxyFailure::Cut)) => Ok(()),
    }
}

async fn pump(
    traffic: Traffic,
    (mut from, mut to): (OwnedReadHalf, OwnedWriteHalf),
    mut failure: watch::Receiver<Option<ProxyFailure>>,
    held_back: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        if traffic == Traffic::Responses && *failure.borrow() == Some(ProxyFailure::Deaf) {
            held_back.fetch_add(1, Ordering::Relaxed);
        }
        let passes = |failure: &Option<ProxyFailure>| {
            failure.is_none_or(|failure| !traffic.is_held_back_by(failure))
        };
        if failure.wait_for(passes).await.is_err() {
            return Ok(());
        }
        if traffic == Traffic::Responses {
            let current = *failure.borrow();
            match current {
                Some(ProxyFailure::Slow(by)) => sleep(by).await,
                Some(ProxyFailure::MidAnswer) => return to.write_all(&buffer[..length / 2]).await,
                Some(ProxyFailure::HalfClosed) => {
                    to.shutdown().await?;
                    let over =
                        |failure: &Option<ProxyFailure>| *failure != Some(ProxyFailure::HalfClosed);
                    drop(failure.wait_for(over).await);
                    return Ok(());
                }
                _ => {}
            }
        }
        to.write_all(&buffer[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    async fn echo() -> Url {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("redis://{}/", listener.local_addr().unwrap())
            .parse()
            .unwrap();
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
        let proxy = Proxy::start(&echo().await).await.unwrap();
        let mut stream = dial(&proxy).await;
        let mut byte = [0];
        stream.write_all(b"a").await.unwrap();
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);

        proxy.fail(ProxyFailure::Silent);
        stream.write_all(b"b").await.unwrap();
        assert!(
            timeout(Duration::from_millis(50), stream.read(&mut byte))
                .await
                .is_err()
        );
        proxy.recover();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"b"));

        assert_eq!(proxy.held_back(), 0, "a silent server executes nothing");
        proxy.fail(ProxyFailure::Deaf);
        stream.write_all(b"d").await.unwrap();
        assert!(
            timeout(Duration::from_millis(50), stream.read(&mut byte))
                .await
                .is_err()
        );
        assert_eq!(proxy.held_back(), 1);
        proxy.recover();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"d"));

        proxy.fail(ProxyFailure::Cut);
        assert_eq!(stream.read(&mut byte).await.unwrap_or(0), 0);
        assert_eq!(dial(&proxy).await.read(&mut byte).await.unwrap_or(0), 0);
        proxy.recover();
        let mut stream = dial(&proxy).await;
        stream.write_all(b"c").await.unwrap();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"c"));
    }

    #[tokio::test]
    async fn a_slow_answer_comes_whole_and_late() {
        let proxy = Proxy::start(&echo().await).await.unwrap();
        let late = Duration::from_millis(80);
        proxy.fail(ProxyFailure::Slow(late));
        let (mut stream, begun) = (dial(&proxy).await, std::time::Instant::now());
        stream.write_all(b"whole").await.unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"whole");
        assert!(begun.elapsed() >= late);
    }

    #[tokio::test]
    async fn an_answer_is_cut_in_its_middle() {
        let proxy = Proxy::start(&echo().await).await.unwrap();
        proxy.fail(ProxyFailure::MidAnswer);
        let mut stream = dial(&proxy).await;
        stream.write_all(b"answer").await.unwrap();
        let mut got = Vec::new();
        // A reset may follow the bytes.
        drop(stream.read_to_end(&mut got).await);
        assert_eq!(got, b"ans");
    }

    #[tokio::test]
    async fn a_half_closed_connection_still_takes_what_the_service_says() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Proxy::start(
            &format!("redis://{}/", listener.local_addr().unwrap())
                .parse()
                .unwrap(),
        )
        .await
        .unwrap();
        let mut stream = dial(&proxy).await;
        let (mut store, _) = listener.accept().await.unwrap();
        proxy.fail(ProxyFailure::HalfClosed);
        store.write_all(b"lost").await.unwrap();
        let mut byte = [0];
        assert_eq!(
            stream.read(&mut byte).await.unwrap(),
            0,
            "the response did not end"
        );
        stream.write_all(b"a").await.unwrap();
        assert_eq!((store.read(&mut byte).await.unwrap(), byte), (1, *b"a"));
    }

    #[tokio::test]
    async fn new_connections_follow_a_store_that_moves() {
        let proxy = Proxy::start(&echo().await).await.unwrap();
        let other = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        proxy
            .lead_to(
                &format!("redis://{}/", other.local_addr().unwrap())
                    .parse()
                    .unwrap(),
            )
            .unwrap();
        let _stream = dial(&proxy).await;
        timeout(Duration::from_secs(5), other.accept())
            .await
            .unwrap()
            .unwrap();
    }

    #[tokio::test]
    async fn a_port_is_known_before_there_is_a_server_behind_it() {
        let proxy = Proxy::bind().await.unwrap();
        assert_eq!(dial(&proxy).await.read(&mut [0]).await.unwrap_or(0), 0);
        proxy.lead_to(&echo().await).unwrap();
        let (mut stream, mut byte) = (dial(&proxy).await, [0]);
        stream.write_all(b"a").await.unwrap();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"a"));
    }
}
