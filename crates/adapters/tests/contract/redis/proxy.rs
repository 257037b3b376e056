//! A TCP proxy before Redis that a test switches between working and several kinds of failure, at the same address.

use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProxyMode {
    /// Forwards everything.
    Pass,
    /// Closes connections at once.
    Refuse,
    /// Accepts connections and forwards nothing.
    Stall,
    /// Closes connections in the middle of the next answer.
    CutAnswers,
}

pub(super) struct RedisProxy {
    pub(super) address: String,
    mode: Arc<watch::Sender<ProxyMode>>,
}

impl RedisProxy {
    pub(super) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let mode = Arc::new(watch::Sender::new(ProxyMode::Pass));
        let modes = Arc::clone(&mode);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(forward(client, target.clone(), modes.subscribe()));
            }
        });
        Self { address, mode }
    }

    pub(super) fn set(&self, mode: ProxyMode) {
        self.mode.send_replace(mode);
    }
}

/// Forwards one connection. One that stalled once stays so until the proxy refuses connections.
async fn forward(mut client: TcpStream, target: String, mut mode: watch::Receiver<ProxyMode>) {
    let first = *mode.borrow_and_update();
    if matches!(first, ProxyMode::Pass | ProxyMode::CutAnswers) {
        let Ok(mut server) = TcpStream::connect(target).await else {
            return;
        };
        if first == ProxyMode::Pass {
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                _ = mode.changed() => {}
            }
        }
        if *mode.borrow() == ProxyMode::CutAnswers {
            return cut_answer(client, server).await;
        }
    }
    let _ = mode.wait_for(|mode| *mode == ProxyMode::Refuse).await;
}

async fn cut_answer(mut client: TcpStream, mut server: TcpStream) {
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.split(), server.split());
    let answer = async {
        let mut answer = [0; 1024];
        let length = from_server.read(&mut answer).await.unwrap_or(0);
        let _ = to_client.write_all(&answer[..length / 2]).await;
    };
    tokio::select! {
        _ = copy(&mut from_client, &mut to_server) => {}
        () = answer => {}
    }
}
