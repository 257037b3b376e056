//! HTTP/1.1 with as little work as it takes, so that the client does not use up what it measures: one kept connection, one request at a
//! time, no more parsing than needed.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is made with the first request.
pub(super) struct Connection<'a> {
    address: &'a str,
    stream: Option<TcpStream>,
    request: String,
    received: Vec<u8>,
}

/// An answer: its status and its body.
pub(super) struct Answer<'a> {
    pub(super) status: u16,
    pub(super) body: &'a str,
}

impl<'a> Connection<'a> {
    pub(super) fn new(address: &'a str) -> Self {
        Self { address, stream: None, request: String::new(), received: vec![0; 16 * 1024] }
    }

    /// Connects, so that the first request need not.
    pub(super) fn open(&mut self) -> Result<()> {
        let stream = TcpStream::connect(self.address).context("nobody listens")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.stream = Some(stream);
        Ok(())
    }

    pub(super) fn post(&mut self, path: &str, bearer: Option<&str>, body: &str) -> Result<Answer<'_>> {
        self.head("POST", path, bearer)?;
        write!(self.request, "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())?;
        self.send()
    }

    pub(super) fn get(&mut self, path: &str, bearer: &str) -> Result<Answer<'_>> {
        self.head("GET", path, Some(bearer))?;
        self.request.push_str("\r\n");
        self.send()
    }

    fn head(&mut self, method: &str, path: &str, bearer: Option<&str>) -> Result<()> {
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.address)?;
        if let Some(token) = bearer {
            write!(self.request, "Authorization: Bearer {token}\r\n")?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<Answer<'_>> {
        if self.stream.is_none() {
            self.open()?;
        }
        match self.exchange() {
            Ok((status, body)) => Ok(Answer { status, body: std::str::from_utf8(&self.received[body]).context("the body is no text")? }),
            Err(error) => {
                self.stream = None;
                Err(error)
            }
        }
    }

    fn exchange(&mut self) -> Result<(u16, std::ops::Range<usize>)> {
        let stream = self.stream.as_mut().context("not connected")?;
        stream.write_all(self.request.as_bytes())?;
        let mut length = 0;
        loop {
            if length == self.received.len() {
                self.received.resize(2 * length, 0);
            }
            let read = stream.read(&mut self.received[length..]).context("no answer in time")?;
            if read == 0 {
                bail!("the server hung up");
            }
            length += read;
            if let Some((status, body)) = whole(&self.received[..length])? {
                return Ok((status, body));
            }
        }
    }
}

/// The status, and where the body is, once all of it is there.
fn whole(received: &[u8]) -> Result<Option<(u16, std::ops::Range<usize>)>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&received[..end]).context("the head is no text")?;
    let status: u16 = head.get(9..12).and_then(|status| status.parse().ok()).context("no status")?;
    let length = head.split("\r\n").skip(1).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok()).flatten()
    });
    let begin = end + 4;
    let until = match length {
        Some(length) => begin + length,
        None if status == 204 => begin,
        None => bail!("no length"),
    };
    Ok((received.len() >= until).then_some((status, begin..until)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";
        for end in 0..text.len() {
            assert!(whole(&text[..end]).unwrap().is_none(), "{end}");
        }
        assert_eq!(whole(text).unwrap(), Some((200, text.len() - 2..text.len())));
    }

    #[test]
    fn no_content_needs_no_length() {
        let text = b"HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n";
        assert_eq!(whole(text).unwrap(), Some((204, text.len()..text.len())));
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
