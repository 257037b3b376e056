//! An OpenTelemetry collector that takes everything and remembers it.

use actix_web::{App, HttpServer, web};
use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
};

/// What was sent, body by body.
#[derive(Clone)]
pub(crate) struct Collector {
    address: SocketAddr,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, bodies) = (
            listener.local_addr().unwrap(),
            Arc::new(Mutex::new(Vec::new())),
        );
        let kept = Arc::clone(&bodies);
        let server = HttpServer::new(move || {
            let kept = Arc::clone(&kept);
            let take = move |body: web::Bytes| {
                kept.lock().unwrap().push(body.to_vec());
                async { "" }
            };
            App::new()
                .app_data(web::PayloadConfig::new(64 << 20))
                .route("/v1/traces", web::post().to(take))
        });
        actix_web::rt::spawn(
            server
                .workers(1)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run(),
        );
        Self { address, bodies }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Vec<u8>> {
        self.bodies.lock().unwrap().clone()
    }
}
