//! Readers of large documents that are slow or never read: what they cost the process.

use crate::command::{ServerProcess, revolve};
use crate::support::FEED;
use revolve_adapters::system::SystemClock;
use revolve_domain::ports::Clock as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;
/// What all readers together may take.
const ALLOWED: u64 = 16 * MIB;
/// The same of 400 readers of the feed, beside the newest statement: each has 32 KiB that wait to be sent, and the allocator keeps as much as half of that.
/// Ten statements alone would be 27 MiB.
const ALLOWED_OF_FEED: u64 = 20 * MIB;
/// Sessions that ended within the window.
const ENDS: usize = 40_000;
const STREAM: &str = "Accept: text/event-stream\r\n";

/// A service in a process of its own, whose memory is measured.
struct Measured {
    running: ServerProcess,
    folder: TempDir,
}

impl Measured {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = revolve(folder.path());
        command.envs(settings.iter().copied());
        command
            .env("REVOLVE__LOG__LEVEL", "warn")
            .env("REVOLVE__TOKENS__FEED_INTERVAL", "50ms");
        let running = ServerProcess::start(&mut command, 4);
        Self { running, folder }
    }

    /// Memory of its own that is resident now. Pages of files, such as code that runs for the first time, are the system's to take back.
    fn memory(&self) -> u64 {
        let path = format!("/proc/{}/status", self.running.child.id());
        let status = fs::read_to_string(path).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .unwrap();
        let kib = line.trim().strip_suffix(" kB").unwrap();
        kib.parse::<u64>().unwrap() << 10
    }

    fn connect(&self) -> TcpStream {
        let (_, address) = self.running.url.split_once("://").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        let patience = Some(Duration::from_mins(1));
        stream.set_read_timeout(patience).unwrap();
        stream
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("data/revolve.sqlite3")
    }

    /// A connection on which a path was asked for.
    fn ask(&self, path: &str, headers: &str) -> TcpStream {
        let mut stream = self.connect();
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }

    /// The whole answer of somebody who reads.
    fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        self.ask(path, "Connection: close\r\n")
            .read_to_string(&mut answer)
            .unwrap();
        answer
    }

    /// As many more sessions ended just now, and the feed has them; the statement.
    fn end(&self, sessions: usize, round: usize) -> String {
        let tag = tag(&self.get(FEED));
        end_sessions(&self.database(), sessions, round);
        let wait = format!("{FEED}?wait=60");
        let unless = format!("If-None-Match: {tag}\r\nConnection: close\r\n");
        let mut answer = String::new();
        self.ask(&wait, &unless)
            .read_to_string(&mut answer)
            .unwrap();
        content(&answer).to_owned()
    }
}

impl Drop for Measured {
    fn drop(&mut self) {
        drop(self.running.child.kill());
        drop(self.running.child.wait());
    }
}

fn end_sessions(database: &Path, sessions: usize, round: usize) {
    let mut connection = rusqlite::Connection::open(database).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    let transaction = connection.transaction().unwrap();
    let now = SystemClock.now().as_millis();
    for number in 0..sessions {
        let id = format!("{round:08x}-0000-4000-8000-{number:012x}");
        transaction
            .execute(
                "INSERT INTO sessions (id, user_id, device_id, epoch, began_at, ends_at, ended_at, end_reason) \
                 VALUES (?1, ?1, ?1, 0, ?2 - 1000, ?2 + 86400000, ?2, 'sign_out')",
                rusqlite::params![id, now],
            )
            .unwrap();
    }
    transaction.commit().unwrap();
}

fn tag(answer: &str) -> String {
    let tag = answer.lines().find_map(|line| line.strip_prefix("etag: "));
    tag.expect("a tag").to_owned()
}

/// Status and content of an answer with a `Content-Length`, which is held to.
#[track_caller]
fn content(answer: &str) -> &str {
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .expect("a length");
    assert_eq!(length.parse(), Ok(body.len()), "all of it has come");
    body
}

/// Waits until an answer has begun to come.
fn wait_for_answer(reader: &TcpStream) {
    assert_eq!(reader.peek(&mut [0]).unwrap(), 1, "an answer");
}

#[test]
fn readers_of_the_feed_that_never_read_do_not_fill_the_memory() {
    let service = Measured::start();
    service.end(ENDS, 0);
    let (mut largest, mut before) = (0, 0);
    // Statements have been made and read before the readers come: what that takes is not theirs.
    for round in 1..11 {
        largest = service.end(1, round).len();
        before = before.max(service.memory());
    }
    assert!(largest > 1_000_000, "{largest}");
    let bound = ALLOWED_OF_FEED + u64::try_from(largest).unwrap();

    // Each forty hold on to another version.
    let mut readers = Vec::new();
    for round in 11..21 {
        service.end(1, round);
        let those: Vec<_> = (0..40).map(|_| service.ask(FEED, "")).collect();
        those.iter().for_each(wait_for_answer);
        readers.extend(those);
    }
    let growth = service.memory().saturating_sub(before);
    println!("400 readers: {} KiB of {}", growth >> 10, bound >> 10);
    assert!(growth <= bound, "{growth} of {bound}");
    content(&service.get(FEED));

    drop(readers);
    let mut readers = Vec::new();
    for round in 21..24 {
        service.end(1, round);
        readers.extend((0..100).map(|_| service.ask(FEED, STREAM)));
        wait_for_answer(readers.last().unwrap());
    }
    let growth = service.memory().saturating_sub(before);
    println!("300 streams: {} KiB of {}", growth >> 10, bound >> 10);
    assert!(growth <= bound, "{growth} of {bound}");
    content(&service.get(FEED));
}

/// A certificate in files, and clients that trust it.
struct Tls {
    files: TempDir,
    client: Arc<ClientConfig>,
}

impl Tls {
    fn new() -> Self {
        let files = TempDir::new().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(files.path().join("key"), made.signing_key.serialize_pem()).unwrap();
        fs::write(files.path().join("certificate"), made.cert.pem()).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Arc::new(client);
        Self { files, client }
    }

    fn start(&self) -> Measured {
        let path = |name: &str| self.files.path().join(name).display().to_string();
        Measured::start_with(&[
            ("REVOLVE__HTTP__TLS__CERTIFICATE_FILE", &path("certificate")),
            ("REVOLVE__HTTP__TLS__PRIVATE_KEY_FILE", &path("key")),
        ])
    }

    /// A connection on which a path was asked for, and the answer has begun to come.
    fn ask(&self, service: &Measured, path: &str) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        let client = ClientConnection::new(Arc::clone(&self.client), name).unwrap();
        let mut stream = StreamOwned::new(client, service.connect());
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        stream.read_exact(&mut [0]).unwrap();
        stream
    }
}

#[test]
fn readers_over_tls_that_never_read_take_little_more_than_others() {
    let tls = Tls::new();
    let service = tls.start();
    end_sessions(&service.database(), ENDS, 0);
    let small: Vec<_> = (0..100)
        .map(|_| tls.ask(&service, "/health/live"))
        .collect();
    drop(tls.ask(&service, FEED));
    let before = service.memory();
    drop(small);
    let small: Vec<_> = (0..100)
        .map(|_| tls.ask(&service, "/health/live"))
        .collect();
    let connected = service.memory().saturating_sub(before);
    let readers: Vec<_> = (0..100).map(|_| tls.ask(&service, FEED)).collect();
    let growth = service.memory().saturating_sub(before);
    println!(
        "100 connections more: {} KiB, 100 readers more: {} KiB",
        connected >> 10,
        (growth - connected) >> 10
    );
    assert!(growth <= ALLOWED, "{growth}");
    drop((small, readers));
}

#[test]
fn readers_of_other_documents_that_never_read_do_not_fill_the_memory() {
    let service = Measured::start();
    for path in ["/openapi.json", "/docs"] {
        content(&service.get(path));
    }
    let before = service.memory();
    let paths = ["/openapi.json", "/docs"].into_iter().cycle();
    let readers: Vec<_> = paths.take(400).map(|path| service.ask(path, "")).collect();
    readers.iter().for_each(wait_for_answer);
    let growth = service.memory().saturating_sub(before);
    println!("{} KiB", growth >> 10);
    assert!(growth <= ALLOWED, "{growth}");
}

#[test]
fn a_slow_reader_gets_all_of_a_statement_that_is_not_the_newest_any_more() {
    let service = Measured::start();
    let whole = service.end(ENDS, 0).len();
    let mut reader = service.ask(FEED, "Connection: close\r\n");
    wait_for_answer(&reader);
    assert!(service.end(1, 1).len() >= whole);
    let (begun, mut answer) = (Instant::now(), vec![0; 64 << 10]);
    reader.read_exact(&mut answer).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(30));
    reader.read_to_end(&mut answer).unwrap();
    content(std::str::from_utf8(&answer).unwrap());
}

#[test]
fn readers_in_excess_wait_for_their_turn_and_other_addresses_go_first() {
    let service = Measured::start_with(&[
        ("REVOLVE__HTTP__FEED_MEMORY", "1MiB"),
        ("REVOLVE__HTTP__REQUEST_TIMEOUT", "5min"),
        ("REVOLVE__HTTP__TRUSTED_PROXIES", "127.0.0.1"),
    ]);
    let whole = service.end(ENDS, 0).len();
    let from = |host: u8| format!("Connection: close\r\nX-Forwarded-For: 192.0.2.{host}\r\n");
    let readers: Vec<_> = (0..32).map(|_| service.ask(FEED, &from(1))).collect();
    readers.iter().for_each(wait_for_answer);
    let read = |host| {
        let mut answer = String::new();
        let mut stream = service.ask(FEED, &from(host));
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let begun = Instant::now();
    let refused = read(1);
    assert!(refused.starts_with("HTTP/1.1 503 "), "{refused}");
    let code = "too_many_readers";
    assert!(refused.contains("retry-after: ") && refused.contains(code));
    assert!(begun.elapsed() >= Duration::from_secs(10));
    // One reader of the other address gives way: it can't get all.
    assert_eq!(content(&read(2)).len(), whole);
    let is_cut = |mut reader: &TcpStream| {
        let mut answer = Vec::new();
        drop(reader.read_to_end(&mut answer));
        answer.len() < whole
    };
    // So do those of a version that had to go meanwhile.
    let cut = readers.iter().filter(|reader| is_cut(reader)).count();
    assert!(cut >= 1);
    // Who is done gives its place back.
    assert_eq!(content(&read(1)).len(), whole);
}
