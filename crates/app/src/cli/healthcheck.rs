//! `revolve healthcheck`: for images without a shell.

use anyhow::{Context, Result, anyhow};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// One request by hand: an HTTP client would be a large dependency for a status line.
pub(super) fn run(listen: SocketAddr) -> Result<()> {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
    }
    let wait = Duration::from_secs(3);
    let mut stream = TcpStream::connect_timeout(&address, wait).with_context(|| format!("nothing listens on {address}"))?;
    stream.set_read_timeout(Some(wait))?;
    stream.set_write_timeout(Some(wait))?;
    stream.write_all(format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("no answer in time")?;
    let status = answer.lines().next().unwrap_or_default();
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(anyhow!("not ready: {status}")) }
}
