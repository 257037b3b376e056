//! The server as it is configured: what is needed to connect to it.

use super::{
    config::{ConfigFault, Encryption, SmtpConfig, SmtpConfigError, Target},
    error::{Failure, SmtpError},
};
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use std::{io, time::Duration};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

pub(super) struct Server {
    pub(super) target: Target,
    /// None only if nothing is encrypted.
    pub(super) tls: Option<TlsParameters>,
    pub(super) timeout: Duration,
}

impl SmtpConfig {
    /// What is wrong with it, beginning with the key.
    pub fn mistake(&self) -> Option<String> {
        Server::new(self).err().map(|error| error.to_string())
    }
}

impl Server {
    pub(super) fn new(config: &SmtpConfig) -> Result<Self, SmtpConfigError> {
        let target = config.target()?;
        let tls = match target.encryption {
            Encryption::Off => None,
            _ => Some(parameters(config, &target.host)?),
        };
        Ok(Self {
            target,
            tls,
            timeout: config.timeout,
        })
    }

    /// Connects to the first of the host's addresses that answers. One that does not must leave time for the others.
    pub(super) async fn connect(&self) -> Result<TcpStream, SmtpError> {
        let (host, port) = (self.target.host.as_str(), self.target.port);
        let unreachable = |source| Failure::Unreachable {
            host: host.to_owned(),
            port,
            source,
        };
        let mut last = io::Error::from(io::ErrorKind::NotFound);
        for address in lookup_host((host, port)).await.map_err(unreachable)? {
            match timeout(self.timeout / 3, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    stream.set_nodelay(true).map_err(unreachable)?;
                    return Ok(stream);
                }
                Ok(Err(error)) => last = error,
                Err(_) => last = io::ErrorKind::TimedOut.into(),
            }
        }
        Err(unreachable(last).into())
    }
}

fn parameters(config: &SmtpConfig, host: &str) -> Result<TlsParameters, ConfigFault> {
    let authorities = config.tls.authorities().map_err(ConfigFault::Tls)?;
    let mut builder =
        TlsParameters::builder(host.to_owned()).certificate_store(CertificateStore::None);
    for authority in authorities {
        let certificate =
            Certificate::from_der(authority.to_vec()).map_err(ConfigFault::Unusable)?;
        builder = builder.add_root_certificate(certificate);
    }
    builder.build().map_err(ConfigFault::Unusable)
}
