//! A listener as the service has it: workers, time-outs and backlog of its defaults.

use std::{net::TcpListener, time::Duration};

use actix_web::{App, HttpServer, http::KeepAlive, web::ServiceConfig};
use anyhow::Result;

/// Serves on any free port and says which one, until SIGTERM.
pub(crate) fn serve(routes: impl Fn(&mut ServiceConfig) + Send + Clone + 'static) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("listening on http://{}", listener.local_addr()?);
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let server = HttpServer::new(move || App::new().configure(&routes))
        .workers(workers)
        .keep_alive(KeepAlive::Timeout(Duration::from_secs(15)))
        .client_request_timeout(Duration::from_secs(10))
        .backlog(1024)
        .shutdown_timeout(1);
    Ok(actix_web::rt::System::new().block_on(async { server.listen(listener)?.run().await })?)
}
