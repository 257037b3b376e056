//! A TCP proxy in front of a store: the store can go away for the service behind it, and for nobody else.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
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

/// How a store is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Connections break, and new ones are closed at once.
    Cut,
    /// Connections stay open, and nothing comes through: what is on its way arrives later.
    Silent,
    /// What the service says comes through and is done; the answers arrive later, if anybody still waits.
    Deaf,
    /// Each answer comes so much later.
    Slow(Duration),
    /// The connection breaks in the middle of the next answer.
    MidAnswer,
    /// The store's side of the connection is closed with its next answer; what the service says still arrives there.
    HalfClosed,
}

/// A proxy that serves until it is dropped.
pub(crate) struct Proxy {
    port: u16,
    target: Arc<Mutex<(String, u16)>>,
    state: Arc<watch::Sender<Option<Failure>>>,
    unheard: Arc<AtomicU64>,
}

impl Proxy {
    /// Starts one on a free port.
    pub(crate) async fn start(store: &Url, default_port: u16) -> Result<Self> {
        let target = Arc::new(Mutex::new(target_of(store, default_port)?));
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("no port is free")?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(watch::Sender::new(None));
        let seen = state.subscribe();
        let shared = Arc::clone(&target);
        let unheard = Arc::<AtomicU64>::default();
        let count = Arc::clone(&unheard);
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
                    let target = target
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .clone();
                    let (state, unheard) = (seen.clone(), Arc::clone(&count));
                    tokio::spawn(
                        async move { drop(connect(client, target, state, &unheard).await) },
                    );
                }
            }
        });
        Ok(Self {
            port,
            target: shared,
            state,
            unheard,
        })
    }

    /// The URL of the store through this proxy.
    pub(crate) fn before(&self, store: &Url) -> Result<Url> {
        let mut url = store.clone();
        url.set_host(Some("127.0.0.1"))
            .context("the store's URL has no host")?;
        url.set_port(Some(self.port))
            .ok()
            .context("the store's URL has no port")?;
        Ok(url)
    }

    /// Leads new connections to another store, as an address does that moves in a failover.
    pub(crate) fn lead_to(&self, store: &Url, default_port: u16) -> Result<()> {
        *self.target.lock().unwrap_or_else(PoisonError::into_inner) =
            target_of(store, default_port)?;
        Ok(())
    }

    /// Takes the store away.
    pub(crate) fn fail(&self, how: Failure) {
        self.state.send_replace(Some(how));
    }

    /// How often the store has said something so far while it was not heard: what it was told before is done.
    pub(crate) fn unheard(&self) -> u64 {
        self.unheard.load(Ordering::Relaxed)
    }

    /// Gives it back.
    pub(crate) fn recover(&self) {
        self.state.send_replace(None);
    }
}

fn target_of(store: &Url, default_port: u16) -> Result<(String, u16)> {
    Ok((
        store
            .host_str()
            .context("the store's URL has no host")?
            .to_owned(),
        store.port().unwrap_or(default_port),
    ))
}

async fn connect(
    client: TcpStream,
    target: (String, u16),
    mut state: watch::Receiver<Option<Failure>>,
    unheard: &AtomicU64,
) -> io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let there = pump(
        from_client,
        to_server,
        state.clone(),
        &[Failure::Silent],
        unheard,
    );
    let back = pump(
        from_server,
        to_client,
        state.clone(),
        &[Failure::Silent, Failure::Deaf],
        unheard,
    );
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
    unheard: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length > 0
            && held_up_by.contains(&Failure::Deaf)
            && *state.borrow() == Some(Failure::Deaf)
        {
            unheard.fetch_add(1, Ordering::Relaxed);
        }
        let free =
            |state: &Option<Failure>| state.is_none_or(|failure| !held_up_by.contains(&failure));
        if length == 0 || state.wait_for(free).await.is_err() {
            return Ok(());
        }
        if held_up_by.contains(&Failure::Deaf) {
            let failure = *state.borrow();
            match failure {
                Some(Failure::Slow(by)) => sleep(by).await,
                Some(Failure::MidAnswer) => return to.write_all(&buffer[..length / 2]).await,
                Some(Failure::HalfClosed) => {
                    to.shutdown().await?;
                    drop(
                        state
                            .wait_for(|state| *state != Some(Failure::HalfClosed))
                            .await,
                    );
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
        let proxy = Proxy::start(&echo().await, 1).await.unwrap();
        let mut stream = dial(&proxy).await;
        let mut byte = [0];
        stream.write_all(b"a").await.unwrap();
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1);

        proxy.fail(Failure::Silent);
        stream.write_all(b"b").await.unwrap();
        assert!(
            timeout(Duration::from_millis(50), stream.read(&mut byte))
                .await
                .is_err()
        );
        proxy.recover();
        assert_eq!((stream.read(&mut byte).await.unwrap(), byte), (1, *b"b"));

        assert_eq!(
            proxy.unheard(),
            0,
            "what fell silent was not told, and has done nothing"
        );
        proxy.fail(Failure::Deaf);
        stream.write_all(b"d").await.unwrap();
        assert!(
            timeout(Duration::from_millis(50), stream.read(&mut byte))
                .await
                .is_err()
        );
        assert_eq!(proxy.unheard(), 1);
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

    #[tokio::test]
    async fn a_slow_answer_comes_whole_and_late() {
        let proxy = Proxy::start(&echo().await, 1).await.unwrap();
        let late = Duration::from_millis(80);
        proxy.fail(Failure::Slow(late));
        let (mut stream, begun) = (dial(&proxy).await, std::time::Instant::now());
        stream.write_all(b"whole").await.unwrap();
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"whole");
        assert!(begun.elapsed() >= late);
    }

    #[tokio::test]
    async fn an_answer_is_cut_in_its_middle() {
        let proxy = Proxy::start(&echo().await, 1).await.unwrap();
        proxy.fail(Failure::MidAnswer);
        let mut stream = dial(&proxy).await;
        stream.write_all(b"answer").await.unwrap();
        let mut got = Vec::new();
        // A reset after the bytes is as good an end as any.
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
            1,
        )
        .await
        .unwrap();
        let mut stream = dial(&proxy).await;
        let (mut store, _) = listener.accept().await.unwrap();
        proxy.fail(Failure::HalfClosed);
        store.write_all(b"lost").await.unwrap();
        let mut byte = [0];
        assert_eq!(
            stream.read(&mut byte).await.unwrap(),
            0,
            "no end of the answers"
        );
        stream.write_all(b"a").await.unwrap();
        assert_eq!((store.read(&mut byte).await.unwrap(), byte), (1, *b"a"));
    }

    #[tokio::test]
    async fn new_connections_follow_a_store_that_moves() {
        let proxy = Proxy::start(&echo().await, 1).await.unwrap();
        let other = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        proxy
            .lead_to(
                &format!("redis://{}/", other.local_addr().unwrap())
                    .parse()
                    .unwrap(),
                1,
            )
            .unwrap();
        let _stream = dial(&proxy).await;
        timeout(Duration::from_secs(5), other.accept())
            .await
            .unwrap()
            .unwrap();
    }
}
