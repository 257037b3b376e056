//! `[http]`: the listeners and what clients may ask of them.

use super::{Rule, Tls};
use crate::Human;
use bytesize::ByteSize;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use url::Url;

/// The header in which trusted proxies name the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: client, proxy, …`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=client, for=proxy, …` (RFC 7239)
    Forwarded,
}

/// `[http]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Http {
    /// The address to listen on; 127.0.0.1:8080. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address for `/metrics`; none by default. Not for the outside world.
    #[schemars(extend("examples" = ["127.0.0.1:9090"]))]
    pub metrics_listen: Option<SocketAddr>,
    /// The address for the admin API, such as 127.0.0.1:8090; none by default. Not for the outside world: its callers have API keys that
    /// may do anything with accounts. It must be of this machine alone (loopback), unless `http.tls` is on, which then holds here, too.
    #[schemars(extend("examples" = ["127.0.0.1:8090"]))]
    pub admin_listen: Option<SocketAddr>,
    /// Whether the admin API may be served without TLS at an address that others reach; false. Only where nobody else reads what goes
    /// over the network, such as behind a proxy with TLS on the network of a container.
    pub admin_insecure: bool,
    /// Worker threads; as many as cores.
    pub workers: Option<usize>,
    /// How long the service still serves after SIGTERM while `/health/ready` answers that it is not ready, so that a proxy sends its
    /// requests elsewhere before the connections close; 0 s. Behind a proxy: the time between two of its checks, times the
    /// failures that it waits for, and a second.
    #[serde(with = "Human")]
    pub drain_delay: Duration,
    /// How long requests in flight may take after that; 20 s.
    #[serde(with = "Human")]
    pub shutdown_timeout: Duration,
    /// Clients that may wait for a change of the revocation feed at once, by long-poll or on a stream; 1000. More get a 503. One
    /// address may hold all; if others come then, the address that holds most gives way to them.
    pub max_watchers: usize,
    /// Memory that reading the revocation feed may take beside the newest statement of each form, as a size or in bytes, at least
    /// 1 MiB; 16 MiB. One half is for clients that are being sent a statement of more than 6000 bytes, 16 KiB each: more clients
    /// wait for their turn, for ten seconds, and an address that has none goes before one that has many. A quarter for each form
    /// (plain, whole, what came since) is for statements that are not the newest any more, but one may always be there: who is still
    /// reading the oldest is cut off if they take more. Another quarter is for what came since the versions that clients hold: who
    /// would need more gets the whole.
    #[schemars(with = "String")]
    pub feed_memory: ByteSize,
    /// The longest time from the first byte of a request to its answer, 100 ms to 10 min; 10 s. A client that sends too slowly is
    /// cut off, with a 408 if no answer has begun; a service that is too slow answers 503. Waiting for the revocation feed has
    /// its own limits.
    #[serde(with = "Human")]
    pub request_timeout: Duration,
    /// How long a connection is kept open without a request, at least, 1 s to 10 min; 75 s. Behind a proxy it must be longer than
    /// the proxy keeps its idle connections to this service, 60 s for many load balancers: else it sends a request on a connection
    /// that ends, and answers 502.
    #[serde(with = "Human")]
    pub keep_alive: Duration,
    /// Connections that may be open at once; 10000. More wait until one ends. Each needs an open file: the service raises its own
    /// limit as far as the system lets it, and warns if that is too little.
    pub max_connections: usize,
    /// The origins whose scripts may use this service from a browser, such as `https://app.example.org`, or from an app that is
    /// made of web pages, such as `capacitor://localhost`; none by default. Exact origins only: scheme, host and port if it is
    /// not the scheme's, without a path. They may send cookies, which browsers do only from the same site.
    pub cors_origins: Vec<String>,
    /// The origins that pages may send a browser back to once it is signed in, by `return_to` in their URL; none by default. In the same form.
    pub return_to: Vec<String>,
    /// TLS; none by default.
    pub tls: Tls,
    /// The proxies before the service, as networks such as "10.0.0.0/8" or "2001:db8::/32", or as addresses; none by default. Only they
    /// are believed about the client's address. If this is not set behind a proxy, addresses in logs, sessions and limits are the proxy's.
    #[schemars(with = "Vec<String>")]
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// The header in which they say it, "x-forwarded-for" (the default) or "forwarded" (RFC 7239). The other one is never read:
    /// a proxy that sets one of them may pass on what a client wrote into the other.
    pub forwarded_header: ForwardedHeader,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_listen: None,
            admin_listen: None,
            admin_insecure: false,
            workers: None,
            drain_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_secs(20),
            max_watchers: 1000,
            feed_memory: ByteSize::mib(16),
            request_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            max_connections: 10_000,
            cors_origins: Vec::new(),
            return_to: Vec::new(),
            tls: Tls::default(),
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
        }
    }
}

impl Http {
    /// Threads that serve.
    pub fn worker_count(&self) -> usize {
        self.workers
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from))
    }

    /// Whether nobody can read API keys on their way.
    fn admin_is_guarded(&self) -> bool {
        let is_local = |at: SocketAddr| at.ip().to_canonical().is_loopback();
        self.admin_listen.is_none_or(is_local) || self.tls.is_on() || self.admin_insecure
    }

    /// What types alone can't say.
    pub(crate) fn rules(&self) -> Vec<Rule> {
        let (least, longest) = (Duration::from_millis(100), Duration::from_mins(10));
        let mut rules = vec![
            (self.workers != Some(0), "http.workers: must be at least 1"),
            (
                self.admin_is_guarded(),
                "http.admin_listen: others reach this address and would read API keys: set http.tls, listen on a loopback address, or set \
                 http.admin_insecure if nobody reads along",
            ),
            (
                (least..=longest).contains(&self.request_timeout),
                "http.request_timeout: must be from 100 ms to 10 min",
            ),
            (
                (Duration::from_secs(1)..=longest).contains(&self.keep_alive),
                "http.keep_alive: must be from 1 s to 10 min",
            ),
            (
                self.feed_memory >= ByteSize::mib(1),
                "http.feed_memory: must be at least 1MiB",
            ),
            (
                self.max_connections > 0,
                "http.max_connections: must be at least 1",
            ),
            (
                self.cors_origins.iter().all(|origin| is_origin(origin)),
                "http.cors_origins: each must be an origin as browsers send it, such as https://app.example.org, without a path or a \
                 slash at its end; `*` and `null` are no origins",
            ),
            (
                self.return_to.iter().all(|origin| is_origin(origin)),
                "http.return_to: each must be an origin such as https://app.example.org, without a path or a slash at its end",
            ),
        ];
        rules.extend(self.tls.rules());
        rules
    }
}

pub(super) fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let number = |(at, text): (usize, String)| {
        network(text.trim()).ok_or_else(|| {
            D::Error::custom(format!(
                "entry {} is neither an address nor a network such as \"10.0.0.0/8\"",
                at + 1
            ))
        })
    };
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.into_iter().enumerate().map(number).collect()
}

/// A network or an address, in the form in which addresses of peers are compared: IPv4 in IPv6 (RFC 4291 §2.5.5.2) is IPv4.
fn network(text: &str) -> Option<IpNet> {
    let network = text
        .parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    let mapped = match network {
        IpNet::V6(v6) => v6
            .addr()
            .to_ipv4_mapped()
            .zip(v6.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    let canonical = match mapped {
        Some((address, prefix)) => IpNet::new(address.into(), prefix).ok()?,
        None => network,
    };
    Some(canonical.trunc())
}

/// Whether this is an origin in the form that browsers send (RFC 6454 §6.2), since it is compared byte by byte. The pages of
/// some apps have a scheme of their own, of which the URL standard knows no origin. Files have none.
pub(super) fn is_origin(text: &str) -> bool {
    let Ok(url) = Url::parse(text) else {
        return false;
    };
    let host = url.host_str().filter(|host| !host.is_empty());
    let Some(host) = host.filter(|_| url.scheme() != "file" && !text.contains('*')) else {
        return false;
    };
    let port = url
        .port()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    format!("{}://{host}{port}", url.scheme()) == text
}

#[cfg(test)]
mod tests {
    use super::{is_origin, network};

    #[test]
    fn networks_of_proxies_are_compared_in_one_form() {
        for (text, form) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3/8", "10.0.0.0/8"),
            ("10.0.0.7", "10.0.0.7/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.0.0.7", "10.0.0.7/32"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("::/0", "::/0"),
        ] {
            assert_eq!(
                network(text).map(|network| network.to_string()).as_deref(),
                Some(form),
                "{text}"
            );
        }
        for bad in ["", "proxy", "10.0.0.0/33", "10.0.0.7:80", "*"] {
            assert_eq!(network(bad), None, "{bad}");
        }
    }

    #[test]
    fn origins_are_exact() {
        for good in [
            "https://app.example.org",
            "http://localhost:3000",
            "https://[::1]:8443",
            "capacitor://localhost",
            "tauri://localhost",
            "ionic://localhost:8080",
            "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "*",
            "null",
            "",
            "app.example.org",
            "https://app.example.org/",
            "https://App.example.org",
            "https://app.example.org:443",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
        for bad in [
            "https://*.example.org",
            "https://app.example.org/x",
            "capacitor://localhost/",
            "capacitor://",
            "capacitor:localhost",
            "capacitor://*",
            "capacitor://ann@localhost",
            "capacitor://localhost?x",
            "Capacitor://localhost",
            "file://",
            "file://localhost",
            "data:text/html,x",
            "https://ann@app.example.org",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
