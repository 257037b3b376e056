//! A mail server that keeps what it is sent. It knows as much ESMTP as a client needs, and fails wherever and however a test wants it to.

mod conversation;
mod received;

pub use received::ReceivedMail;

use crate::server_tls::ServerTls;
use conversation::Conversation;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

/// How many connections wait to be accepted.
const BACKLOG: u32 = 1024;
/// How long [`SmtpSink::wait_for`] waits.
const PATIENCE: Duration = Duration::from_secs(30);

/// When connections are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SinkEncryption {
    /// Never.
    #[default]
    Off,
    /// After STARTTLS.
    StartTls,
    /// From the first byte.
    Wrapped,
}

/// What the server offers.
#[derive(Clone, Debug, Default)]
pub struct SinkSettings {
    /// When connections are encrypted.
    pub encryption: SinkEncryption,
    /// The user and the password that it asks for, if any.
    pub user: Option<(String, String)>,
    /// Whether it offers SMTPUTF8.
    pub utf8: bool,
}

/// What a client has just said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SinkStage {
    /// Nothing yet.
    Connected,
    /// EHLO.
    Hello,
    /// STARTTLS.
    StartTls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA.
    Data,
    /// The whole content.
    Content,
    /// RSET.
    Reset,
    /// QUIT.
    Quit,
}

/// What the server does instead of going on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkAnswer {
    /// It answers this line, such as `450 4.2.0 greylisted`. A content is kept if it begins with 2.
    Reply(String),
    /// It closes the connection; for [`SinkStage::Content`] after the first line of it.
    Close,
    /// It keeps the content, and closes the connection without an answer.
    Lose,
    /// It says nothing until the client goes away.
    Silence,
    /// It goes on as usual, this much later.
    Late(Duration),
}

type Rule = dyn Fn(SinkStage, &str) -> Option<SinkAnswer> + Send + Sync;

/// The server. It stops when it is dropped.
pub struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: Option<JoinHandle<()>>,
    /// While it is down: keeps the port and does not listen.
    port: Option<TcpSocket>,
}

struct Shared {
    settings: SinkSettings,
    tls: Option<ServerTls>,
    rule: Mutex<Arc<Rule>>,
    received: watch::Sender<Vec<ReceivedMail>>,
    connections: AtomicUsize,
    open: watch::Sender<usize>,
}

impl Shared {
    fn answer(&self, stage: SinkStage, line: &str) -> Option<SinkAnswer> {
        let rule = Arc::clone(&lock(&self.rule));
        rule(stage, line)
    }
}

impl SmtpSink {
    /// Starts it on a free port of this machine.
    ///
    /// # Errors
    /// If there is none.
    pub async fn start(settings: SinkSettings) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let tls = match settings.encryption {
            SinkEncryption::Off => None,
            _ => Some(ServerTls::new().map_err(io::Error::other)?),
        };
        let shared = Arc::new(Shared {
            settings,
            tls,
            rule: Mutex::new(Arc::new(|_, _| None)),
            received: watch::Sender::new(Vec::new()),
            connections: AtomicUsize::new(0),
            open: watch::Sender::new(0),
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            task: Some(task),
            port: None,
        })
    }

    /// Ends all connections, and refuses new ones until [`Self::come_up`].
    ///
    /// # Errors
    /// If another process has taken its port.
    pub async fn go_down(&mut self) -> io::Result<()> {
        if let Some(task) = self.task.take() {
            task.abort();
            // It says only that it was aborted.
            drop(task.await);
            let port = TcpSocket::new_v4()?;
            port.set_reuseaddr(true)?;
            port.bind(self.address)?;
            self.port = Some(port);
        }
        Ok(())
    }

    /// Listens again at the same address.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn come_up(&mut self) -> io::Result<()> {
        if let Some(port) = self.port.take() {
            let listener = port.listen(BACKLOG)?;
            self.task = Some(tokio::spawn(accept(listener, Arc::clone(&self.shared))));
        }
        Ok(())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL for a client that does what the server offers.
    pub fn url(&self) -> String {
        let (scheme, query) = match self.shared.settings.encryption {
            SinkEncryption::Off => ("smtp", "?tls=off"),
            SinkEncryption::StartTls => ("smtp", ""),
            SinkEncryption::Wrapped => ("smtps", ""),
        };
        let user = self.shared.settings.user.as_ref();
        let user = user.map_or_else(String::new, |(user, password)| {
            format!("{user}:{password}@")
        });
        format!("{scheme}://{user}{}{query}", self.address)
    }

    /// Its certificate in PEM, which is its own authority. It is for 127.0.0.1.
    pub fn authority(&self) -> Option<String> {
        self.shared.tls.as_ref().map(|tls| tls.authority.clone())
    }

    /// Has the rule decide from now on, with what a client has said and its line, which is that of all recipients for
    /// [`SinkStage::Content`]; `None` goes on as usual.
    pub fn rule(
        &self,
        rule: impl Fn(SinkStage, &str) -> Option<SinkAnswer> + Send + Sync + 'static,
    ) {
        *lock(&self.shared.rule) = Arc::new(rule);
    }

    /// Answers this at a stage from now on, and nothing else out of the ordinary.
    pub fn fail(&self, at: SinkStage, answer: SinkAnswer) {
        self.rule(move |stage, _| (stage == at).then(|| answer.clone()));
    }

    /// Goes on as usual from now on.
    pub fn recover(&self) {
        self.rule(|_, _| None);
    }

    /// What was received so far.
    pub fn received(&self) -> Vec<ReceivedMail> {
        self.shared.received.borrow().clone()
    }

    /// Takes what was received so far: the server forgets it.
    pub fn take(&self) -> Vec<ReceivedMail> {
        self.shared.received.send_replace(Vec::new())
    }

    /// Waits until there is a mail to [take](Self::take).
    pub async fn arrived(&self) {
        let mut received = self.shared.received.subscribe();
        // It fails only without a sender, and that is here.
        drop(received.wait_for(|mails| !mails.is_empty()).await);
    }

    /// Waits for that many mails, and answers all that there are.
    ///
    /// # Panics
    /// If they do not come within 30 seconds.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        let mut received = self.shared.received.subscribe();
        let enough = received.wait_for(|mails| mails.len() >= count);
        match timeout(PATIENCE, enough).await {
            Ok(Ok(mails)) => mails.clone(),
            _ => panic!("{count} mails do not arrive, but {}", self.received().len()),
        }
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until no connection is open.
    ///
    /// # Panics
    /// If one still is after 30 seconds.
    pub async fn wait_until_idle(&self) {
        let mut open = self.shared.open.subscribe();
        let idle = timeout(PATIENCE, open.wait_for(|open| *open == 0)).await;
        assert!(idle.is_ok(), "a connection stays open");
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// An open connection, counted until it is dropped.
struct OpenConnection(Arc<Shared>);

impl OpenConnection {
    fn new(shared: &Arc<Shared>) -> Self {
        shared.connections.fetch_add(1, Ordering::SeqCst);
        shared.open.send_modify(|open| *open += 1);
        Self(Arc::clone(shared))
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Dropped with this task, so that no connection outlives the server.
    let mut running = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let open = OpenConnection::new(&shared);
        running.spawn(async move {
            // A client that goes away ends its own connection only.
            drop(converse(stream, &open.0).await);
        });
        while running.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    match (&shared.tls, shared.settings.encryption) {
        (Some(tls), SinkEncryption::Wrapped) => {
            let stream = tls.accept(stream).await?;
            Conversation::new(stream, true, shared).run(true).await?;
        }
        (Some(tls), SinkEncryption::StartTls) => {
            let plain = Conversation::new(stream, false, shared).run(true).await?;
            if let Some(stream) = plain {
                let stream = tls.accept(stream).await?;
                Conversation::new(stream, true, shared).run(false).await?;
            }
        }
        _ => {
            Conversation::new(stream, false, shared).run(true).await?;
        }
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
