//! Stopping as operators, proxies and slow clients meet it.

use crate::command::{ServerProcess, revolve, sh};
use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::{
        linux::net::SocketAddrExt,
        unix::net::{SocketAddr, UnixDatagram},
    },
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// The head of a sign-up whose body is still to come, on a connection of its own.
fn begin_sign_up(running: &ServerProcess, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(running.url.strip_prefix("http://").unwrap()).unwrap();
    let head = format!(
        "POST /api/account/signup HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Expect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The service asks for the body: the request is in flight.
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(
        std::str::from_utf8(&asked).unwrap(),
        "HTTP/1.1 100 Continue\r\n\r\n"
    );
    stream
}

#[test]
fn a_draining_service_is_not_ready_and_serves_on_until_it_is_told_twice() {
    let folder = TempDir::new().unwrap();
    let mut running = ServerProcess::start(
        revolve(folder.path()).env("REVOLVE__HTTP__DRAIN_DELAY", "10min"),
        4,
    );
    let ask = |path: &str| sh(&format!("curl -sS -i {}{path}", running.url)).to_lowercase();
    let before = ask("/health/ready");
    assert!(
        before.starts_with("http/1.1 200") && !before.contains("connection: close"),
        "{before}"
    );
    running.signal("TERM");
    let begun = Instant::now();
    while !ask("/health/ready").starts_with("http/1.1 503") {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it is still ready"
        );
    }
    let ready = ask("/health/ready");
    assert!(
        ready.contains("retry-after: 1") && ready.contains("stopping"),
        "{ready}"
    );
    let other = ask("/.well-known/jwks.json");
    assert!(
        other.starts_with("http/1.1 200") && other.contains("connection: close"),
        "{other}"
    );
    running.signal("INT");
    assert_eq!(running.child.wait().unwrap().code(), Some(1));
}

#[test]
fn a_slow_client_holds_up_the_stop_no_longer_than_the_deadline() {
    let folder = TempDir::new().unwrap();
    let running = ServerProcess::start(
        revolve(folder.path()).env("REVOLVE__HTTP__SHUTDOWN_TIMEOUT", "1s"),
        4,
    );
    let mut slow: Vec<TcpStream> = (0..20).map(|_| begin_sign_up(&running, 1000)).collect();
    let body = r#"{"email":"me@example.org","password":"correct horse battery"}"#;
    let mut quick = begin_sign_up(&running, body.len());
    let begun = Instant::now();
    let stopped = std::thread::spawn(move || running.terminate());
    quick.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    quick.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 201"),
        "a request in flight is finished: {answer}"
    );
    assert!(stopped.join().unwrap().success());
    assert!(
        begun.elapsed() < Duration::from_secs(9),
        "slow bodies may take 10 s, but not now: {:?}",
        begun.elapsed()
    );
    for stream in &mut slow {
        let mut rest = Vec::new();
        // Answered or cut, but over.
        drop(stream.read_to_end(&mut rest));
    }
}

#[test]
fn the_service_manager_hears_of_the_start_and_the_stop() {
    let folder = TempDir::new().unwrap();
    let socket = folder.path().join("notify");
    hears(
        &folder,
        &UnixDatagram::bind(&socket).unwrap(),
        &socket.display().to_string(),
    );
}

/// Containers and user managers hand out such ones.
#[test]
fn the_service_manager_may_listen_on_an_abstract_socket() {
    let folder = TempDir::new().unwrap();
    let name = format!("revolve{}", folder.path().display());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    hears(
        &folder,
        &UnixDatagram::bind_addr(&address).unwrap(),
        &format!("@{name}"),
    );
}

fn hears(folder: &TempDir, manager: &UnixDatagram, socket: &str) {
    manager
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let heard = || {
        let mut message = [0; 256];
        let length = manager.recv(&mut message).unwrap();
        String::from_utf8(message[..length].to_vec()).unwrap()
    };
    let running = ServerProcess::start(revolve(folder.path()).env("NOTIFY_SOCKET", socket), 4);
    assert_eq!(heard(), "READY=1\n");
    assert!(running.terminate().success());
    assert_eq!(heard(), "STOPPING=1\n");
}

#[test]
fn what_is_in_flight_is_finished_on_stopping() {
    let folder = TempDir::new().unwrap();
    let running = ServerProcess::start(&mut revolve(folder.path()), 4);
    let body = r#"{"email":"me@example.org","password":"correct horse battery"}"#;
    let mut stream = begin_sign_up(&running, body.len());
    let finishing = std::thread::spawn(move || running.terminate());
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 201") && answer.contains("\"idToken\""),
        "{answer}"
    );
    assert!(finishing.join().unwrap().success());
}

#[test]
fn stopping_does_not_wait_for_a_long_poll() {
    let folder = TempDir::new().unwrap();
    let running = ServerProcess::start(&mut revolve(folder.path()), 4);
    let (feed, port) = (
        format!("{}/.well-known/revocations", running.url),
        running.url.rsplit_once(':').unwrap().1.parse().unwrap(),
    );
    let tag = sh(&format!(
        "curl -sS -D - -o /dev/null '{feed}' | tr -d '\\r' | sed -n 's/^etag: //Ip'"
    ));
    let poll = format!(
        "curl -sS -o /dev/null -w '%{{http_code}}' -H 'If-None-Match: {}' '{feed}?wait=60'",
        tag.trim()
    );
    let poll = std::thread::spawn(move || sh(&poll));
    while !has_connection(port) {
        std::thread::yield_now();
    }
    let stopping = Instant::now();
    assert!(running.terminate().success());
    assert!(
        stopping.elapsed().as_secs() < 10,
        "{:?}",
        stopping.elapsed()
    );
    assert_eq!(poll.join().unwrap(), "304");
}

/// Whether the kernel has an established connection to this local port.
fn has_connection(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let local = format!(":{port:04X} ");
    table.lines().any(|line| {
        line.split_whitespace()
            .nth(1)
            .is_some_and(|at| format!("{at} ").ends_with(&local))
            && line.split_whitespace().nth(3) == Some("01")
    })
}
