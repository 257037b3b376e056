//! How the addresses of a name are found.

use async_trait::async_trait;
use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
};
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Finds addresses. It is asked once for each request; what it answers is checked, and nothing else is connected to.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// The addresses that a name has now, each with this port; none if there is no such name.
    ///
    /// # Errors
    /// If that can't be found out.
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

/// The most lookups at once. Each has a thread of the runtime until the system gives up, also if nobody waits for it any more.
const LOOKUPS: usize = 64;

/// What the C libraries say of a name that is not there, or has no address (`EAI_NONAME` and `EAI_NODATA` of `getaddrinfo`, POSIX.1-2024):
/// glibc, musl and Darwin. The standard library hands on the text alone.
const NOT_THERE: [&str; 5] = [
    "Name or service not known",
    "No address associated with hostname",
    "Name does not resolve",
    "Name has no usable address",
    "nodename nor servname provided, or not known",
];

type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Asks the system: its file of hosts, and DNS.
pub(super) struct SystemResolver {
    places: Arc<Semaphore>,
    lookup: Arc<Lookup>,
}

impl SystemResolver {
    pub(super) fn new() -> Self {
        Self::asking(Arc::new(lookup), LOOKUPS)
    }

    fn asking(lookup: Arc<Lookup>, places: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            lookup,
        }
    }
}

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let (name, lookup) = (name.to_owned(), Arc::clone(&self.lookup));
        // It has the place as long as it has the thread.
        let found = spawn_blocking(move || {
            let _place = place;
            lookup(&name, port)
        });
        found.await.map_err(io::Error::other)?
    }
}

fn lookup(name: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    match (name, port).to_socket_addrs() {
        Ok(found) => Ok(found.collect()),
        Err(error) if is_not_there(&error) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn is_not_there(error: &io::Error) -> bool {
    let text = error.to_string();
    NOT_THERE.iter().any(|said| text.ends_with(said))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
            mpsc,
        },
        time::Duration,
    };
    use tokio::{task::yield_now, time::timeout};

    #[test]
    fn a_name_that_is_not_there_is_no_failure() {
        let said = |text: &str| {
            let text = format!("failed to lookup address information: {text}");
            is_not_there(&io::Error::other(text))
        };
        assert!(said("Name or service not known"));
        assert!(said("No address associated with hostname"));
        assert!(!said("Temporary failure in name resolution"));
        assert!(!said("System error"));
    }

    #[tokio::test]
    async fn a_lookup_that_nobody_waits_for_keeps_its_place() {
        let (release, released) = mpsc::channel::<()>();
        let (begun, released) = (Arc::new(AtomicUsize::new(0)), Mutex::new(released));
        let stuck = {
            let begun = Arc::clone(&begun);
            move |_: &str, port: u16| {
                begun.fetch_add(1, Ordering::SeqCst);
                released.lock().unwrap().recv().unwrap();
                Ok(vec![([192, 0, 2, 1], port).into()])
            }
        };
        let resolver = Arc::new(SystemResolver::asking(Arc::new(stuck), 1));
        let given_up = resolver.resolve("hooks.example.org", 443);
        let given_up = timeout(Duration::from_millis(1), given_up).await;
        assert!(given_up.is_err(), "it is stuck");
        let second = {
            let resolver = Arc::clone(&resolver);
            tokio::spawn(async move { resolver.resolve("hooks.example.org", 443).await })
        };
        for _ in 0..100 {
            yield_now().await;
        }
        assert!(begun.load(Ordering::SeqCst) <= 1, "it waits for the place");
        release.send(()).unwrap();
        release.send(()).unwrap();
        let found = timeout(Duration::from_secs(30), second).await;
        assert_eq!(found.unwrap().unwrap().unwrap().len(), 1);
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }
}
