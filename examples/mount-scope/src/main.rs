//! A notes server that gets its accounts from Revolve: the whole API mounted as a scope, and the server's own
//! routes that ask Revolve, in the same process, who is calling.
//!
//! ```console
//! $ cargo run -p example-mount-scope
//! listening on http://127.0.0.1:8080
//! ```

mod notes;

#[cfg(test)]
mod tests;

use actix_web::{App, HttpServer, web};
use notes::Notes;
use revolve::{Service, config::Config};
use std::{
    error::Error,
    future::Future,
    io::Write,
    net::{SocketAddr, TcpListener},
};

fn main() -> Result<(), Box<dyn Error>> {
    let config = revolve::load(None)?.config;
    let listen = config.http.listen;
    actix_web::rt::System::new().block_on(serve(config, listen, stop_signal(), announce))
}

fn announce(address: SocketAddr) {
    // Standard output may be closed, which is no reason to stop.
    let _ = writeln!(std::io::stdout(), "listening on http://{address}");
}

async fn stop_signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Serves until `stop` is ready; says where once it does.
async fn serve(
    config: Config,
    listen: SocketAddr,
    stop: impl Future<Output = ()> + 'static,
    started: impl FnOnce(SocketAddr),
) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(listen)?;
    let address = listener.local_addr()?;

    let revolve = Service::build(config).await?;
    let (mounted, notes) = (revolve.clone(), web::Data::new(Notes::default()));
    let server = HttpServer::new(move || {
        App::new()
            // For `SignedIn` in the handlers below.
            .app_data(web::Data::new(mounted.clone()))
            .app_data(notes.clone())
            // Revolve's own: /api/account/…, /account/…, /.well-known/… and /health/….
            .service(mounted.scope())
            .configure(mounted.pages())
            .configure(mounted.well_known())
            .configure(mounted.health())
            // This server's own.
            .route(
                "/",
                web::get().to(async || "Notes. Sign up at /api/account/signup, then POST /notes."),
            )
            .route("/notes", web::get().to(notes::list))
            .route("/notes", web::post().to(notes::add))
    })
    .workers(2)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();

    // Those who wait for the revocation feed go home first; then the server has only short requests to finish.
    let watched = revolve.clone();
    let stopping = actix_web::rt::spawn(async move {
        stop.await;
        watched.end_watches();
        handle.stop(true).await;
    });
    started(address);
    server.await?;
    stopping.abort();
    revolve.close().await;
    Ok(())
}
