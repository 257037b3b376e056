//! The client's address behind proxies. Only trusted proxies are believed.
//!
//! Each proxy adds the address that it was called from to the end of the list. From the end backwards, every entry that a trusted
//! proxy wrote is believed; the first that is not itself a trusted proxy is the client. Entries before it may be forged.

use actix_web::http::header::HeaderMap;
use ipnet::IpNet;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Once,
};

/// The header in which trusted proxies say whom a request came from. The other one is never read: a proxy that sets one of them may
/// pass on what a client wrote into the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy, …`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy, …` (RFC 7239)
    Forwarded,
}

/// Which proxies are trusted, and where they say what they know.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    header: ForwardedHeader,
}

impl TrustedProxies {
    /// Believes what these networks say in this header.
    pub fn new(networks: Vec<IpNet>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// The client's address, as far as it is known for sure: that of the last hop which a trusted one vouches for.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut last = peer.to_canonical();
        if !self.trusts(last) {
            self.warn(last, headers);
            return last;
        }
        // A client may have written any bytes before what proxies appended to the same line. No byte that is replaced here is a
        // separator, so all entries are seen.
        let lines: Vec<_> = headers
            .get_all(self.name())
            .map(|line| String::from_utf8_lossy(line.as_bytes()))
            .collect();
        for line in lines.iter().rev() {
            let hops: Vec<Option<IpAddr>> = match self.header {
                ForwardedHeader::XForwardedFor => line
                    .rsplit(',')
                    .map(|entry| address(entry.trim()))
                    .collect(),
                ForwardedHeader::Forwarded => from_the_end(line, ',')
                    .into_iter()
                    .map(forwarded_for)
                    .collect(),
            };
            for address in hops {
                let Some(address) = address else { return last };
                last = address;
                if !self.trusts(last) {
                    return last;
                }
            }
        }
        last
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(&address))
    }

    const fn name(&self) -> &'static str {
        match self.header {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => "forwarded",
        }
    }

    /// Says once what is probably missing in the configuration. Only for peers in a private network: from elsewhere anybody can
    /// send the header.
    fn warn(&self, peer: IpAddr, headers: &HeaderMap) {
        static WARNED: Once = Once::new();
        let private = match peer {
            IpAddr::V4(v4) => v4.is_private() || v4.is_loopback(),
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_loopback(),
        };
        if private && headers.contains_key(self.name()) {
            WARNED.call_once(|| {
                tracing::warn!(
                    %peer, header = self.name(),
                    "a peer says for whom it forwards, but is not in http.trusted_proxies: its own address stands for all of its clients"
                );
            });
        }
    }
}

/// The parts of a text between separators outside of quotes, the last one first.
///
/// Quotes are paired from the end: what a client left open at the beginning must not swallow what proxies wrote behind it.
fn from_the_end(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut end, mut quoted) = (Vec::new(), text.len(), false);
    for (at, character) in text.char_indices().rev() {
        if character == '"' {
            quoted = !quoted;
        } else if character == separator && !quoted {
            parts.push(text[at + 1..end].trim());
            end = at;
        }
    }
    parts.push(text[..end].trim());
    parts
}

/// An address, perhaps with a port, as proxies write it: `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = || {
        text.strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|inner| inner.parse::<IpAddr>().ok())
    };
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    let found = text
        .parse()
        .ok()
        .or_else(with_port)
        .or_else(|| bare().filter(IpAddr::is_ipv6))?;
    Some(found.to_canonical())
}

/// The `for` parameter of an element (RFC 7239 §4), if it is an address: `unknown` and obfuscated identifiers are none. A
/// parameter that is there twice makes the element mean nothing (RFC 7239 §4: MUST NOT occur more than once).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut found = None;
    for pair in from_the_end(element, ';') {
        let (name, value) = pair.split_once('=')?;
        if name.eq_ignore_ascii_case("for") && found.replace(value).is_some() {
            return None;
        }
    }
    let value = found?;
    match value.strip_prefix('"') {
        // An address has nothing to escape.
        Some(quoted) => address(
            quoted
                .strip_suffix('"')
                .filter(|inner| !inner.contains(['"', '\\']))?,
        ),
        // Brackets and colons are no token: they must be quoted.
        None => value.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn client(
        header: ForwardedHeader,
        trusted: &[&str],
        peer: &str,
        lines: &[(&str, &[u8])],
    ) -> String {
        let proxies = TrustedProxies::new(
            trusted
                .iter()
                .map(|network| network.parse().unwrap())
                .collect(),
            header,
        );
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_bytes(value).unwrap(),
            );
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    const PROXIES: &[&str] = &["10.0.0.0/8", "2001:db8:ff::/48"];

    #[test]
    fn x_forwarded_for_is_walked_from_the_right_to_the_first_stranger() {
        for (peer, lines, expected, why) in [
            (
                "10.0.0.1",
                &[&b"198.51.100.7"[..]][..],
                "198.51.100.7",
                "one proxy",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7, 10.0.0.2"],
                "198.51.100.7",
                "two proxies",
            ),
            (
                "10.0.0.1",
                &[b"1.2.3.4, 198.51.100.7"],
                "198.51.100.7",
                "what the client wrote is not believed",
            ),
            (
                "10.0.0.1",
                &[b"10.9.9.9, 198.51.100.7, 10.0.0.2"],
                "198.51.100.7",
                "not even if it looks like a proxy",
            ),
            (
                "10.0.0.1",
                &[b"1.2.3.4", b"198.51.100.7"],
                "198.51.100.7",
                "lines are one list",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7", b"10.0.0.3", b"10.0.0.2"],
                "198.51.100.7",
                "however it is cut into lines",
            ),
            (
                "203.0.113.5",
                &[b"198.51.100.7"],
                "203.0.113.5",
                "a stranger is not believed",
            ),
            ("10.0.0.1", &[], "10.0.0.1", "no header"),
            ("10.0.0.1", &[b""], "10.0.0.1", "an empty header"),
            (
                "10.0.0.1",
                &[b"10.0.0.3, 10.0.0.2"],
                "10.0.0.3",
                "proxies all the way",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7, nonsense, 10.0.0.2"],
                "10.0.0.2",
                "nonsense ends the walk at the last trusted hop",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7,, 10.0.0.2"],
                "10.0.0.2",
                "and so does nothing",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7, unknown"],
                "10.0.0.1",
                "a proxy that does not know",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7", b"\xff\xfe", b"10.0.0.2"],
                "10.0.0.2",
                "a line that is no text",
            ),
            (
                "10.0.0.1",
                &[b"gr\xfcn, 198.51.100.7"],
                "198.51.100.7",
                "what a client wrote before it need not be text",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7:4711"],
                "198.51.100.7",
                "with a port",
            ),
            (
                "10.0.0.1",
                &[b"[2001:db8::7]:4711"],
                "2001:db8::7",
                "with a port",
            ),
            (
                "10.0.0.1",
                &[b"[2001:db8::7]"],
                "2001:db8::7",
                "in brackets",
            ),
            (
                "10.0.0.1",
                &[b"[198.51.100.7]"],
                "10.0.0.1",
                "which IPv4 has not",
            ),
            ("10.0.0.1", &[b"2001:db8::7"], "2001:db8::7", "without"),
            (
                "10.0.0.1",
                &[b"::ffff:198.51.100.7"],
                "198.51.100.7",
                "IPv4 in IPv6 form",
            ),
            (
                "::ffff:10.0.0.1",
                &[b"198.51.100.7"],
                "198.51.100.7",
                "a peer in IPv6 form",
            ),
            (
                "2001:db8:ff::1",
                &[b"198.51.100.7"],
                "198.51.100.7",
                "a proxy by IPv6",
            ),
            (
                "2001:db8:fe::1",
                &[b"198.51.100.7"],
                "2001:db8:fe::1",
                "another network",
            ),
            (
                "10.0.0.1",
                &[b"198.51.100.7 10.0.0.2"],
                "10.0.0.1",
                "commas separate",
            ),
            (
                "10.0.0.1",
                &[b"0x0a.1, 010.0.0.1"],
                "10.0.0.1",
                "no other ways to write an address",
            ),
            (
                "10.0.0.1",
                &[b"\"198.51.100.7, 10.0.0.2\""],
                "10.0.0.1",
                "it knows no quotes",
            ),
            (
                "10.0.0.1",
                &[b"\", 198.51.100.7"],
                "198.51.100.7",
                "a quote that a client left open hides nothing",
            ),
        ] {
            let lines: Vec<_> = lines
                .iter()
                .map(|line| ("x-forwarded-for", *line))
                .collect();
            assert_eq!(
                client(ForwardedHeader::XForwardedFor, PROXIES, peer, &lines),
                expected,
                "{why}: {peer} {lines:?}"
            );
        }
    }

    #[test]
    fn forwarded_is_walked_the_same_way() {
        for (lines, expected, why) in [
            (&[&b"for=198.51.100.7"[..]][..], "198.51.100.7", "one proxy"),
            (
                &[b"for=1.2.3.4, For=198.51.100.7;proto=https;by=10.0.0.1, for=10.0.0.2"],
                "198.51.100.7",
                "with more parameters",
            ),
            (
                &[b"for=\"198.51.100.7:4711\""],
                "198.51.100.7",
                "with a port, quoted",
            ),
            (&[b"for=\"[2001:db8::7]:4711\""], "2001:db8::7", "IPv6"),
            (&[b"for=\"[2001:db8::7]\""], "2001:db8::7", "IPv6"),
            (&[b"for=[2001:db8::7]"], "10.0.0.1", "which must be quoted"),
            (
                &[b"for=198.51.100.7:4711"],
                "10.0.0.1",
                "and so must a port",
            ),
            (
                &[b"for=198.51.100.7, for=unknown"],
                "10.0.0.1",
                "a proxy that does not know",
            ),
            (
                &[b"for=198.51.100.7, for=_hidden, for=10.0.0.2"],
                "10.0.0.2",
                "or does not tell",
            ),
            (
                &[b"for=198.51.100.7, proto=https"],
                "10.0.0.1",
                "or says nothing of it",
            ),
            (
                &[b"for=198.51.100.7;for=10.0.0.2"],
                "10.0.0.1",
                "said twice is not said",
            ),
            (
                &[b"for=gr\xfcn, for=198.51.100.7"],
                "198.51.100.7",
                "what a client wrote before it need not be text",
            ),
            (
                &[b"for=1.2.3.4", b"for=198.51.100.7"],
                "198.51.100.7",
                "lines are one list",
            ),
            (
                &[b"for=1.2.3.4, by=\"x, for=10.0.0.9\";for=198.51.100.7"],
                "198.51.100.7",
                "quotes may hold commas",
            ),
            (
                &[b"for=\"198.51.100.7"],
                "10.0.0.1",
                "a quote that does not end",
            ),
            (
                &[b"for=\", for=198.51.100.7"],
                "198.51.100.7",
                "and hides nothing if a client left it open",
            ),
            (
                &[b"for=\"\\, for=\"198.51.100.7:1\""],
                "198.51.100.7",
                "whatever it left open",
            ),
            (
                &[b"for=\"198.51.100.\\7\""],
                "10.0.0.1",
                "an escape in an address",
            ),
            (&[b"198.51.100.7"], "10.0.0.1", "the other header's form"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("forwarded", *line)).collect();
            assert_eq!(
                client(ForwardedHeader::Forwarded, PROXIES, "10.0.0.1", &lines),
                expected,
                "{why}: {lines:?}"
            );
        }
    }

    #[test]
    fn the_other_header_is_never_read() {
        let both: &[(&str, &[u8])] = &[
            ("x-forwarded-for", b"1.1.1.1"),
            ("forwarded", b"for=2.2.2.2"),
            ("x-real-ip", b"3.3.3.3"),
        ];
        assert_eq!(
            client(ForwardedHeader::XForwardedFor, PROXIES, "10.0.0.1", both),
            "1.1.1.1"
        );
        assert_eq!(
            client(ForwardedHeader::Forwarded, PROXIES, "10.0.0.1", both),
            "2.2.2.2"
        );
        assert_eq!(
            client(
                ForwardedHeader::XForwardedFor,
                PROXIES,
                "10.0.0.1",
                &both[1..]
            ),
            "10.0.0.1"
        );
        assert_eq!(
            client(ForwardedHeader::XForwardedFor, &[], "10.0.0.1", both),
            "10.0.0.1",
            "nobody is trusted by default"
        );
    }
}
