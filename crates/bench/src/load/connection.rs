//! HTTP/1.1 with as little work as it takes, so that the client does not use up what it measures: one kept connection, one request at a
//! time, no more parsing than needed.

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use super::chunks;

const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is made with the first request.
pub(super) struct LoadConnection<'a> {
    address: &'a str,
    stream: Option<TcpStream>,
    request: String,
    received: Vec<u8>,
    /// It has answered before.
    kept: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum LoadError {
    /// The server closed the connection before it said anything.
    #[error("the server hung up")]
    HungUp,
    #[error("the connection failed")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Unreadable(&'static str),
}

/// An answer.
pub(super) struct LoadAnswer<'a> {
    pub(super) status: u16,
    head: &'a str,
    pub(super) body: &'a str,
}

impl<'a> LoadAnswer<'a> {
    /// An error unless it has that status.
    pub(super) fn check(&self, what: &str, good: u16) -> Result<()> {
        let Self { status, body, .. } = self;
        ensure!(*status == good, "{what} was answered {status}: {body}");
        Ok(())
    }

    /// The cookies that it sets: names and values.
    pub(super) fn cookies(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.head.split("\r\n").filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let pair = name
                .eq_ignore_ascii_case("set-cookie")
                .then(|| value.split(';').next())??;
            pair.trim().split_once('=')
        })
    }
}

impl<'a> LoadConnection<'a> {
    pub(super) fn new(address: &'a str) -> Self {
        Self {
            address,
            stream: None,
            request: String::new(),
            received: vec![0; 16 * 1024],
            kept: false,
        }
    }

    /// Connects, so that the first request need not.
    pub(super) fn open(&mut self) -> Result<()> {
        let stream = TcpStream::connect(self.address).context("nobody listens")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        self.stream = Some(stream);
        Ok(())
    }

    pub(super) fn post(
        &mut self,
        path: &str,
        bearer: Option<&str>,
        body: &str,
    ) -> Result<LoadAnswer<'_>> {
        self.post_as(path, bearer, "application/json", body)
    }

    pub(super) fn post_as(
        &mut self,
        path: &str,
        bearer: Option<&str>,
        media_type: &str,
        body: &str,
    ) -> Result<LoadAnswer<'_>> {
        self.head("POST", path, bearer)?;
        write!(
            self.request,
            "Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        self.send()
    }

    /// With these headers, among them the type of a body that is not empty.
    pub(super) fn post_with(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Result<LoadAnswer<'_>> {
        self.head("POST", path, None)?;
        for (name, value) in headers {
            write!(self.request, "{name}: {value}\r\n")?;
        }
        write!(self.request, "Content-Length: {}\r\n\r\n{body}", body.len())?;
        self.send()
    }

    pub(super) fn get(&mut self, path: &str, bearer: &str) -> Result<LoadAnswer<'_>> {
        self.head("GET", path, Some(bearer))?;
        self.request.push_str("\r\n");
        self.send()
    }

    fn head(&mut self, method: &str, path: &str, bearer: Option<&str>) -> Result<()> {
        self.request.clear();
        write!(
            self.request,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n",
            self.address
        )?;
        if let Some(token) = bearer {
            write!(self.request, "Authorization: Bearer {token}\r\n")?;
        }
        Ok(())
    }

    fn send(&mut self) -> Result<LoadAnswer<'_>> {
        if self.stream.is_none() {
            self.open()?;
        }
        let mut outcome = self.exchange();
        // A server may close a kept connection just when the next request is sent (RFC 9112 §9.6): then that goes over a new one.
        if self.kept && matches!(outcome, Err(LoadError::HungUp)) {
            self.open()?;
            outcome = self.exchange();
        }
        self.kept = outcome.is_ok();
        match outcome {
            Ok((status, body)) => Ok(LoadAnswer {
                status,
                head: std::str::from_utf8(&self.received[..body.start])
                    .context("the head is no text")?,
                body: std::str::from_utf8(&self.received[body]).context("the body is no text")?,
            }),
            Err(error) => {
                self.stream = None;
                Err(error.into())
            }
        }
    }

    fn exchange(&mut self) -> Result<(u16, std::ops::Range<usize>), LoadError> {
        let stream = self.stream.as_mut().ok_or(LoadError::HungUp)?;
        stream.write_all(self.request.as_bytes())?;
        let mut length = 0;
        loop {
            if length == self.received.len() {
                self.received.resize(2 * length, 0);
            }
            let read =
                stream
                    .read(&mut self.received[length..])
                    .map_err(|error| match error.kind() {
                        std::io::ErrorKind::ConnectionReset if length == 0 => LoadError::HungUp,
                        _ => LoadError::Io(error),
                    })?;
            if read == 0 {
                return Err(if length == 0 {
                    LoadError::HungUp
                } else {
                    LoadError::Unreadable("the answer breaks off")
                });
            }
            length += read;
            if let Some((status, mut body, chunked)) =
                whole(&self.received[..length]).map_err(LoadError::Unreadable)?
            {
                if chunked {
                    let joined = chunks::join(&mut self.received[body.clone()])
                        .map_err(LoadError::Unreadable)?;
                    body.end = body.start + joined;
                }
                return Ok((status, body));
            }
        }
    }
}

/// The status, where the body is, and whether it is in chunks.
type Whole = (u16, std::ops::Range<usize>, bool);

/// The answer, once all of it is there.
fn whole(received: &[u8]) -> Result<Option<Whole>, &'static str> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = std::str::from_utf8(&received[..end]).map_err(|_| "the head is no text")?;
    let status: u16 = head
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .ok_or("no status")?;
    let header = |wanted: &str| {
        head.split("\r\n").skip(1).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim())
        })
    };
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    let begin = end + 4;
    let (until, chunked) = match length {
        Some(length) => (begin + length, false),
        None if status == 204 => (begin, false),
        None if header("transfer-encoding") == Some("chunked") => {
            match chunks::length(&received[begin..])? {
                Some(length) => (begin + length, true),
                None => return Ok(None),
            }
        }
        None => return Err("no length"),
    };
    Ok((received.len() >= until).then_some((status, begin..until, chunked)))
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    #[test]
    fn an_answer_is_read_when_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nx: y\r\n\r\n{}";
        for end in 0..text.len() {
            assert!(whole(&text[..end]).unwrap().is_none(), "{end}");
        }
        assert_eq!(
            whole(text).unwrap(),
            Some((200, text.len() - 2..text.len(), false))
        );
    }

    #[test]
    fn cookies_are_read_from_the_head_alone() {
        let answer = LoadAnswer {
            status: 200,
            head: "HTTP/1.1 200 OK\r\nSet-Cookie: a=b=c; HttpOnly; Path=/\r\nx-cookie: no=no\r\nset-cookie:d=\r\n\r\n",
            body: "set-cookie: e=f",
        };
        assert_eq!(
            answer.cookies().collect::<Vec<_>>(),
            [("a", "b=c"), ("d", "")]
        );
    }

    #[test]
    fn an_answer_in_chunks_is_read_when_the_last_one_is_there() {
        let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n";
        for end in 0..text.len() {
            assert!(whole(&text[..end]).unwrap().is_none(), "{end}");
        }
        let body = text.len() - 12..text.len();
        assert_eq!(whole(text).unwrap(), Some((200, body, true)));
    }

    /// A server that answers each connection once and closes it.
    fn forgetful(connections: usize) -> (String, thread::JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            for _ in 0..connections {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 1024];
                assert!(stream.read(&mut request).unwrap() > 0);
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                    .unwrap();
            }
        });
        (address, server)
    }

    #[test]
    fn a_kept_connection_that_was_closed_is_made_again() {
        let (address, server) = forgetful(2);
        let mut connection = LoadConnection::new(&address);
        for _ in 0..2 {
            assert_eq!(connection.post("/", None, "{}").unwrap().status, 200);
        }
        server.join().unwrap();
        assert!(
            connection.post("/", None, "{}").is_err(),
            "nobody listens any more"
        );
    }

    #[test]
    fn no_content_needs_no_length() {
        let text = b"HTTP/1.1 204 No Content\r\ndate: now\r\n\r\n";
        assert_eq!(
            whole(text).unwrap(),
            Some((204, text.len()..text.len(), false))
        );
        assert!(whole(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
