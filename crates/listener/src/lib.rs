//! The listener: connections are accepted, held to deadlines, perhaps unwrapped from TLS, and handed to actix-http. Only here is the
//! byte stream of a client in reach; what a request may be is the business of the application that is served.

mod connection;
mod guarded;
mod tls;

pub use connection::{Connection, InFlight};
pub use tls::{Certificate, CertificateError, CertificateStatus, Validity, provider};

use actix_http::{HttpService, KeepAlive, Protocol, Request, Response};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt, fn_service, map_config,
};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Server},
};
use guarded::{ConnectionLimits, Guarded};
use std::{io, net::TcpListener, rc::Rc, sync::Arc, time::Duration};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// How long a client has to read the answer that ends its connection.
const LINGER: Duration = Duration::from_secs(1);

/// So many bytes of answers may lie unsent in the system for each connection; what a client does not read stays here, and is asked
/// for when there is room.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: u32 = 64 * 1024;

/// How late actix-http's clock may be, and how early its timers.
const COARSE: Duration = Duration::from_millis(500);

/// What a listener allows.
#[derive(Clone, Copy, Debug)]
pub struct ListenerSettings {
    /// Threads that serve; at least 1.
    pub workers: usize,
    /// Connections that may be open at once, over all threads; at least 1.
    pub max_connections: usize,
    /// From the first byte of a request to the end of its head.
    pub request_timeout: Duration,
    /// The bytes of a request's head, at least; a larger one is cut off with 431 while it is read.
    pub head_limit: usize,
    /// With so many bytes in a connection's write buffer no more of an answer is asked for.
    pub write_ahead: usize,
    /// Without a request on an open connection, at least: it is never closed earlier.
    pub keep_alive: Duration,
    /// For what is in flight when the server stops; rounded up to seconds.
    pub shutdown_timeout: Duration,
}

/// Serves what `app` makes, once per worker, until it is stopped. From when `stopping` is cancelled, connections close as soon as
/// they have nothing in flight.
///
/// # Errors
/// If the socket can't be used.
pub fn serve<A, I, S, B>(
    listener: TcpListener,
    settings: ListenerSettings,
    certificate: Option<&Arc<Certificate>>,
    stopping: &CancellationToken,
    app: A,
) -> io::Result<Server>
where
    A: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: std::fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as actix_service::Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    raise_file_limit(settings.max_connections);
    // Connections inherit it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket2::SockRef::from(&listener).set_tcp_notsent_lowat(UNSENT)?;
    let workers = settings.workers;
    let each = settings.max_connections.div_ceil(workers);
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(each)
        .backlog(1024)
        .disable_signals()
        // In whole seconds: rather one more than none.
        .shutdown_timeout(
            settings.shutdown_timeout.as_secs()
                + u64::from(settings.shutdown_timeout.subsec_nanos() > 0),
        );
    let limits = ConnectionLimits {
        request_timeout: settings.request_timeout,
        keep_alive: settings.keep_alive,
        head: settings.head_limit,
    };
    let acceptor = certificate
        .map(Certificate::acceptor)
        .transpose()
        .map_err(io::Error::other)?;
    let stopping = stopping.clone();
    let builder = builder.listen("http", listener, move || {
        let service = HttpService::build()
            // The guarded stream ends it.
            .keep_alive(KeepAlive::Os)
            .h1_write_buffer_size(settings.write_ahead)
            .client_request_timeout(limits.request_timeout + COARSE)
            .client_disconnect_timeout(LINGER + COARSE)
            .on_connect_ext(|io: &Guarded<tls::Stream>, data| {
                data.insert(Rc::clone(io.connection()));
            })
            .finish(map_config(
                app()
                    .into_factory()
                    .map_err(|error| error.into().error_response()),
                |()| AppConfig::default(),
            ));
        let (acceptor, stopping) = (acceptor.clone(), stopping.clone());
        fn_service(move |io: TcpStream| {
            let (acceptor, stopping) = (acceptor.clone(), stopping.clone());
            async move {
                let peer = io.peer_addr().ok();
                // Small answers must not wait for one another.
                drop(io.set_nodelay(true));
                let io = match acceptor {
                    Some(acceptor) => stopping
                        .run_until_cancelled(tls::Stream::accept(
                            io,
                            &acceptor,
                            limits.request_timeout,
                        ))
                        .await
                        .ok_or(Ended::Stopped)?
                        .map_err(Ended::Handshake)?,
                    None => tls::Stream::Plain(io),
                };
                let io = Guarded::new(io, limits, stopping);
                Ok::<_, Ended>((io, Protocol::Http1, peer))
            }
        })
        .and_then(service.map_err(Ended::Dispatch))
        // What a client did to its own connection is its own affair.
        .map_err(|ended| tracing::debug!(error = ?ended, "a connection ended early"))
    })?;
    Ok(builder.run())
}

/// Why a connection ended before its time.
#[derive(Debug)]
#[expect(dead_code, reason = "for the log")]
enum Ended {
    Stopped,
    Handshake(io::Error),
    Dispatch(actix_http::error::DispatchError),
}

/// How many open files this many connections need.
pub fn wanted_files(connections: usize) -> u64 {
    const OTHERS: u64 = 512;
    u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHERS)
}

/// Each connection is an open file; many systems allow 1024 unless a process asks for more.
fn raise_file_limit(connections: usize) {
    let wanted = wanted_files(connections);
    match rlimit::increase_nofile_limit(wanted) {
        Ok(limit) if limit < wanted => {
            tracing::warn!(
                limit,
                wanted,
                "http.max_connections: the system lets this process open fewer files; raise `ulimit -n`"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files can't be raised"),
    }
}
