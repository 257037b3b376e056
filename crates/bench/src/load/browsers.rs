//! Browsers, which keep the refresh token and the credential of their device in cookies, as the front ends of the service's own origin do.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::{
    PASSWORD,
    connection::{LoadAnswer, LoadConnection},
};

/// Asks for the cookie, from a page of the service itself.
const MODE: [(&str, &str); 2] = [
    ("Revolve-Tokens", "cookie"),
    ("Sec-Fetch-Site", "same-origin"),
];

/// A browser with its cookies.
#[derive(Debug, Default)]
pub(super) struct Browser(BTreeMap<String, String>);

impl Browser {
    /// Keeps the cookies of an answer, as many as it has to have.
    fn keep(&mut self, answer: &LoadAnswer<'_>, least: usize) -> Result<()> {
        let mut set = 0;
        for (name, value) in answer.cookies() {
            self.0.insert(name.to_owned(), value.to_owned());
            set += 1;
        }
        ensure!(set >= least, "only {set} cookies are set");
        Ok(())
    }

    fn header(&self) -> String {
        let pairs: Vec<_> = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }
}

/// Signs up and refreshes once, which binds the session to the device: later refreshes write nothing to the user database.
pub(super) fn sign_up(connection: &mut LoadConnection<'_>, number: usize) -> Result<Browser> {
    let body =
        format!("{{\"email\":\"browser-{number}@example.org\",\"password\":\"{PASSWORD}\"}}");
    let headers = [MODE[0], MODE[1], ("Content-Type", "application/json")];
    let answer = connection.post_with("/api/account/signup", &headers, &body)?;
    answer.check("a browser's sign-up", 201)?;
    let mut browser = Browser::default();
    // Of the refresh token and of the device.
    browser.keep(&answer, 2)?;
    refresh(connection, &mut browser)?;
    Ok(browser)
}

pub(super) fn refresh(connection: &mut LoadConnection<'_>, browser: &mut Browser) -> Result<()> {
    let cookies = browser.header();
    let headers = [MODE[0], MODE[1], ("Cookie", cookies.as_str())];
    let answer = connection.post_with("/api/account/tokens", &headers, "")?;
    answer.check("a browser's refresh", 200)?;
    browser.keep(&answer, 1)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        thread,
    };

    use super::*;

    #[test]
    fn the_next_token_takes_the_place_of_the_last_and_the_device_stays() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let answers = [
                "201 Created\r\nSet-Cookie: token=a.b.c; Path=/\r\nSet-Cookie: device=d; Path=/",
                "200 OK\r\nSet-Cookie: token=e.f.g; Path=/",
                "200 OK\r\nSet-Cookie: token=h.i.j; Path=/",
                "200 OK",
            ];
            answers.map(|answer| {
                let mut request = vec![0; 4096];
                let read = stream.read(&mut request).unwrap();
                write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 2\r\n\r\n{{}}").unwrap();
                String::from_utf8(request[..read].to_vec()).unwrap()
            })
        });
        let mut connection = LoadConnection::new(&address);
        let mut browser = sign_up(&mut connection, 3).unwrap();
        refresh(&mut connection, &mut browser).unwrap();
        assert!(
            refresh(&mut connection, &mut browser).is_err(),
            "no successor"
        );
        let [_, first, second, third] = server.join().unwrap();
        for (request, token) in [(first, "a.b.c"), (second, "e.f.g"), (third, "h.i.j")] {
            let cookies = format!("Cookie: device=d; token={token}\r\n");
            assert!(request.contains(&cookies), "{request}");
        }
    }
}
