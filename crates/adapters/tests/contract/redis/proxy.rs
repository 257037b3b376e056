//! A door between the adapter and Redis that a test can shut, stick or open again at the same address.

use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::watch,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// All goes through.
    Open,
    /// Connections end at once.
    Shut,
    /// Connections are taken, and nothing goes through.
    Stuck,
    /// Connections end in the middle of the next answer.
    Half,
}

pub(super) struct Proxy {
    pub(super) address: String,
    door: Arc<watch::Sender<Door>>,
}

impl Proxy {
    pub(super) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("there is a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let door = Arc::new(watch::Sender::new(Door::Open));
        let doors = Arc::clone(&door);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, target.clone(), doors.subscribe()));
            }
        });
        Self { address, door }
    }

    pub(super) fn set(&self, door: Door) {
        self.door.send_replace(door);
    }
}

/// Carries bytes while the door is open. A connection that was stuck once stays so until the door shuts.
async fn carry(mut client: TcpStream, target: String, mut door: watch::Receiver<Door>) {
    let first = *door.borrow_and_update();
    if matches!(first, Door::Open | Door::Half) {
        let Ok(mut server) = TcpStream::connect(target).await else {
            return;
        };
        if first == Door::Open {
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                _ = door.changed() => {}
            }
        }
        if *door.borrow() == Door::Half {
            return half(client, server).await;
        }
    }
    let _ = door.wait_for(|door| *door == Door::Shut).await;
}

async fn half(mut client: TcpStream, mut server: TcpStream) {
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
