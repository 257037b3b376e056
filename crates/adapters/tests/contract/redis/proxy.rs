//! A door between the adapter and Redis that a test can shut, stick or open again at the same address.

use std::sync::Arc;
use tokio::{
    io::copy_bidirectional,
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
}

pub(super) struct Proxy {
    pub(super) address: String,
    door: Arc<watch::Sender<Door>>,
}

impl Proxy {
    pub(super) async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("there is a free port");
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
    if *door.borrow_and_update() == Door::Open {
        let Ok(mut server) = TcpStream::connect(target).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = door.changed() => {}
        }
    }
    let _ = door.wait_for(|door| *door == Door::Shut).await;
}
