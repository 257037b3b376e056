//! Services of both frameworks at once.

use actix_web::dev::Server;
use axum::Router;
use std::net::TcpListener;

/// Serves with actix-web and with axum, each at a port of its own, until the runtime ends. Answers their URLs, that of actix-web first.
pub(crate) fn serve_both(actix: impl FnOnce(TcpListener) -> Server, axum: Router) -> [String; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
    let urls = listeners.each_ref().map(url);
    let [of_actix, of_axum] = listeners;
    of_axum.set_nonblocking(true).unwrap();
    let of_axum = tokio::net::TcpListener::from_std(of_axum).unwrap();
    actix_web::rt::spawn(actix(of_actix));
    actix_web::rt::spawn(async move { axum::serve(of_axum, axum).await });
    urls
}
