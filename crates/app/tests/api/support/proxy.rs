//! A TCP proxy that can be cut: to the service its store is gone, and comes back at the same address.

use std::{net::SocketAddr, sync::Arc};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};
use url::Url;

/// A proxy in front of a store.
pub(crate) struct Proxy {
    address: SocketAddr,
    up: Arc<watch::Sender<bool>>,
}

impl Proxy {
    /// Starts on a free port.
    pub(crate) async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener
            .local_addr()
            .expect("a bound socket has an address");
        let up = Arc::new(watch::Sender::new(true));
        let state = up.subscribe();
        actix_web::rt::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if *state.borrow() {
                    actix_web::rt::spawn(forward(client, target, state.clone()));
                }
            }
        });
        Self { address, up }
    }

    /// The URL of its store through it.
    pub(crate) fn before(&self, store: &Url) -> Url {
        let mut url = store.clone();
        url.set_ip_host(self.address.ip())
            .expect("a store's URL has a host");
        url.set_port(Some(self.address.port()))
            .expect("a store's URL has a port");
        url
    }

    /// Cuts every connection and takes no new one.
    pub(crate) fn cut(&self) {
        self.up.send_replace(false);
    }

    /// Serves again.
    pub(crate) fn restore(&self) {
        self.up.send_replace(true);
    }
}

async fn forward(mut client: TcpStream, target: SocketAddr, mut up: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(target).await else {
        return;
    };
    drop(client.set_nodelay(true));
    drop(server.set_nodelay(true));
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        _ = up.wait_for(|up| !up) => {}
    }
}
