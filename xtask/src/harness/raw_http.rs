//! HTTP/1.1 as an attacker speaks it: one connection that is kept, requests that were written before, and no more parsing than needed.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_mins(1);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Vec<u8>,
}

/// A POST as bytes.
pub(crate) fn post(address: &str, path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST /api/account{path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// An answer in what was received, and how long it is; `None` if it is not whole yet.
pub(crate) fn parse(received: &[u8]) -> Result<Option<(Answer, usize)>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&received[..end]).context("the head is no text")?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|status| status.parse().ok())
        .context("no status")?;
    let header = |name: &str| {
        let mut values = lines.clone().filter_map(|line| line.split_once(':'));
        values
            .find_map(|(key, value)| {
                key.eq_ignore_ascii_case(name)
                    .then(|| value.trim().parse::<u64>().ok())
            })
            .flatten()
    };
    let body = header("content-length").context("no length")?;
    let whole = end + 4 + usize::try_from(body)?;
    let retry_after = header("retry-after");
    Ok(received.get(end + 4..whole).map(|body| {
        (
            Answer {
                status,
                retry_after,
                body: body.to_vec(),
            },
            whole,
        )
    }))
}

/// A connection that waits for each answer.
pub(crate) struct Connection {
    address: String,
    stream: TcpStream,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).context("the service does not listen")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            address: address.to_owned(),
            stream,
        })
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Result<Answer> {
        let request = post(&self.address, path, body);
        self.send(&request)
    }

    pub(crate) fn send(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request)?;
        let (mut received, mut chunk) = (Vec::new(), [0; 8192]);
        loop {
            let read = self.stream.read(&mut chunk).context("no answer in time")?;
            if read == 0 {
                bail!("the service hung up");
            }
            received.extend_from_slice(&chunk[..read]);
            if let Some((answer, _)) = parse(&received)? {
                return Ok(answer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_when_they_are_whole() {
        let text = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\nRetry-After: 7\r\n\r\n{}HTTP";
        for end in 0..text.len() - 4 {
            assert!(parse(&text[..end]).unwrap().is_none(), "{end}");
        }
        let (answer, length) = parse(text).unwrap().unwrap();
        assert_eq!(
            (
                answer.status,
                answer.retry_after,
                answer.body.as_slice(),
                length
            ),
            (503, Some(7), &b"{}"[..], text.len() - 4)
        );
    }
}
