//! TLS in front of the listener: a certificate that can be replaced while the service runs, and the stream that clients speak over.

use rustls::{
    ServerConfig,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, PoisonError, RwLock},
    task::{Context, Poll},
    time::Duration,
};
use time::OffsetDateTime;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use x509_parser::{error::X509Error, parse_x509_certificate};

/// A certificate with less time left is worth a warning.
const SOON: Duration = Duration::from_hours(14 * 24);

/// Why a certificate can't be used, after the key of the configuration that is wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// A file can't be read.
    #[error("http.tls.{key}: can't read {}", file.display())]
    Unreadable {
        /// Below `http.tls`.
        key: &'static str,
        /// As it is configured.
        file: PathBuf,
        #[source]
        #[expect(missing_docs, reason = "the type says it")]
        source: io::Error,
    },
    /// The first file is not PEM.
    #[error("http.tls.certificate_file: is not PEM")]
    NoPem(#[source] pem::Error),
    /// It holds no certificate.
    #[error("http.tls.certificate_file: has no certificate in PEM")]
    NoCertificate,
    /// What it holds is none.
    #[error("http.tls.certificate_file: is no X.509 certificate")]
    NoX509(#[source] x509_parser::nom::Err<X509Error>),
    /// The other file holds no private key.
    #[error("http.tls.private_key_file: has no private key in PEM")]
    NoKey,
    /// It holds one that needs a passphrase.
    #[error(
        "http.tls.private_key_file: its private key has a passphrase, for which the service can't ask (without: openssl pkey -in FILE \
         -out NEW)"
    )]
    EncryptedKey,
    /// It is damaged.
    #[error("http.tls.private_key_file: is not PEM")]
    BadKey(#[source] pem::Error),
    /// The two do not belong together.
    #[error("http.tls.private_key_file: belongs to another certificate than certificate_file")]
    OtherKey,
    /// The library refuses them.
    #[error("http.tls: certificate_file and private_key_file can't be used")]
    Unusable(#[source] rustls::Error),
}

type Result<T, E = CertificateError> = std::result::Result<T, E>;

/// How a certificate stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Its time has not come.
    Early,
    /// Clients take it.
    Good,
    /// For less than 14 days.
    Soon,
    /// Its time is over.
    Expired,
}

/// When a certificate counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// From here on.
    pub from: OffsetDateTime,
    /// Up to here.
    pub until: OffsetDateTime,
}

impl Validity {
    fn of(certificate: &CertificateDer<'_>) -> Result<Self> {
        let (_, parsed) = parse_x509_certificate(certificate).map_err(CertificateError::NoX509)?;
        let validity = parsed.validity();
        let [from, until] =
            [validity.not_before, validity.not_after].map(|time| time.to_datetime());
        Ok(Self { from, until })
    }

    /// How it stands at `now`.
    pub fn standing(self, now: OffsetDateTime) -> CertificateStatus {
        match self.until - now {
            left if left <= Duration::ZERO => CertificateStatus::Expired,
            left if left < SOON => CertificateStatus::Soon,
            _ if self.from > now => CertificateStatus::Early,
            _ => CertificateStatus::Good,
        }
    }
}

/// The listener's certificate and key, read from files and read again when they change.
pub struct Certificate {
    chain_file: PathBuf,
    key_file: PathBuf,
    now: fn() -> OffsetDateTime,
    current: RwLock<Arc<CertifiedKey>>,
    /// What the files held when they were last read, valid or not.
    seen: Mutex<[Vec<u8>; 2]>,
}

impl Certificate {
    /// Reads the certificate's chain and its private key, both in PEM. `now` is asked to warn of one that expires.
    ///
    /// # Errors
    /// A message that names the configuration key: a file that can't be read, one that holds no certificate or key, a key that
    /// belongs to another certificate. One that has expired is only a warning: clients say more about it than a service that does
    /// not start.
    pub fn load(
        chain_file: PathBuf,
        key_file: PathBuf,
        now: fn() -> OffsetDateTime,
    ) -> Result<Arc<Self>> {
        let seen = read(&chain_file, &key_file)?;
        let current = RwLock::new(parse(&seen, now())?);
        Ok(Arc::new(Self {
            chain_file,
            key_file,
            now,
            current,
            seen: Mutex::new(seen),
        }))
    }

    /// Looks whether the files have changed and, if so, uses what is in them for new connections. Answers whether they had.
    /// Blocks for as long as it takes to read two small files.
    ///
    /// # Errors
    /// As at the start; then the certificate stays what it was. The same bad files are complained about once.
    pub fn reload(&self) -> Result<bool> {
        let found = read(&self.chain_file, &self.key_file)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == found {
            return Ok(false);
        }
        seen.clone_from(&found);
        let key = parse(&found, (self.now)())?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = key;
        tracing::info!(file = %self.chain_file.display(), "the listener's certificate was replaced");
        Ok(true)
    }

    /// When what is used now counts.
    ///
    /// # Errors
    /// If it is no X.509 certificate, which would not have been loaded.
    pub fn validity(&self) -> Result<Validity> {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        let own = current
            .cert
            .first()
            .ok_or(CertificateError::NoCertificate)?;
        Validity::of(own)
    }

    /// Accepts TLS connections with what the certificate is at the time.
    pub(crate) fn acceptor(self: &Arc<Self>) -> Result<TlsAcceptor, rustls::Error> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])?;
        let mut config = builder
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        // Not h2: the server library sets no limit for streams and headers of a connection, and would lose answers when it stops (ADR 15).
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.current.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("chain_file", &self.chain_file)
            .finish_non_exhaustive()
    }
}

/// The provider that the rest of the tree uses, too.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

fn read(certificate: &Path, key: &Path) -> Result<[Vec<u8>; 2]> {
    let read = |key, file: &Path| {
        fs::read(file).map_err(|source| CertificateError::Unreadable {
            key,
            file: file.to_owned(),
            source,
        })
    };
    Ok([
        read("certificate_file", certificate)?,
        read("private_key_file", key)?,
    ])
}

fn parse([certificate, key]: &[Vec<u8>; 2], now: OffsetDateTime) -> Result<Arc<CertifiedKey>> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate).collect();
    let chain = chain.map_err(CertificateError::NoPem)?;
    let own = chain.first().ok_or(CertificateError::NoCertificate)?;
    warn_of_expiry(own, now)?;
    match CertifiedKey::from_der(chain, private_key(key)?, &provider()) {
        Ok(pair) => Ok(Arc::new(pair)),
        Err(rustls::Error::InconsistentKeys(_)) => Err(CertificateError::OtherKey),
        Err(error) => Err(CertificateError::Unusable(error)),
    }
}

/// The first private key of a file that may hold the chain, parameters of a curve and text, too.
fn private_key(file: &[u8]) -> Result<PrivateKeyDer<'static>> {
    PrivateKeyDer::from_pem_slice(file).map_err(|error| {
        // PKCS #8 (RFC 5958 §3), and the older form with a header (RFC 1421 §4.6.1.1).
        let is_encrypted = file.split(|byte| *byte == b'\n').any(|line| {
            line.starts_with(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
                || line.starts_with(b"Proc-Type: 4,ENCRYPTED")
        });
        match error {
            _ if is_encrypted => CertificateError::EncryptedKey,
            pem::Error::NoItemsFound => CertificateError::NoKey,
            error => CertificateError::BadKey(error),
        }
    })
}

/// Warns about what clients will refuse.
fn warn_of_expiry(certificate: &CertificateDer<'_>, now: OffsetDateTime) -> Result<()> {
    let validity = Validity::of(certificate)?;
    let until = validity.until;
    match validity.standing(now) {
        CertificateStatus::Expired => {
            tracing::warn!(%until, "http.tls.certificate_file: the certificate has expired; clients will refuse it");
        }
        CertificateStatus::Soon => {
            tracing::warn!(%until, "http.tls.certificate_file: the certificate expires soon");
        }
        CertificateStatus::Early => {
            tracing::warn!("http.tls.certificate_file: the certificate is not valid yet");
        }
        CertificateStatus::Good => {}
    }
    Ok(())
}

/// Bytes that are encrypted ahead of what the client takes in; rustls would keep 64 KiB for each.
const ENCRYPTED_AHEAD: usize = 8 * 1024;

/// What a client speaks over.
pub(crate) enum Stream {
    /// Without TLS.
    Plain(TcpStream),
    /// With TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Shakes hands within `limit`.
    pub(crate) async fn accept(
        io: TcpStream,
        acceptor: &TlsAcceptor,
        limit: Duration,
    ) -> io::Result<Self> {
        let accept = acceptor.accept_with(io, |session| {
            session.set_buffer_limit(Some(ENCRYPTED_AHEAD));
        });
        let accepted = timeout(limit, accept).await.map_err(io::Error::from)?;
        Ok(Self::Tls(Box::new(accepted?)))
    }
}

/// Calls the same method of whichever it is.
macro_rules! either {
    ($self:ident, $io:ident => $call:expr) => {
        match &mut *$self {
            Self::Plain(io) => {
                let $io = Pin::new(io);
                $call
            }
            Self::Tls(io) => {
                let $io = Pin::new(io.as_mut());
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, io => io.poll_write(cx, bytes))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, io => io.poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests;
