//! A port that is known before the service behind it has one: the issuer must be a URL that clients can ask.

use anyhow::{Context as _, Result};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A bound port; nobody is served yet.
pub(crate) struct Front(TcpListener);

/// Connections go on to the service, until this is dropped.
pub(crate) struct Serving(JoinHandle<()>);

impl Front {
    pub(crate) async fn bind() -> Result<Self> {
        Ok(Self(
            TcpListener::bind(("127.0.0.1", 0))
                .await
                .context("no port is free")?,
        ))
    }

    /// As a URL without a path.
    pub(crate) fn url(&self) -> Result<String> {
        Ok(format!("http://{}", self.0.local_addr()?))
    }

    /// `behind` is host:port.
    pub(crate) fn serve(self, behind: String) -> Serving {
        Serving(tokio::spawn(async move {
            while let Ok((mut client, _)) = self.0.accept().await {
                let behind = behind.clone();
                tokio::spawn(async move {
                    if let Ok(mut server) = TcpStream::connect(behind).await {
                        drop(copy_bidirectional(&mut client, &mut server).await);
                    }
                });
            }
        }))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.abort();
    }
}
