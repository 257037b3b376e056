//! Certificates for the stores, new in each run: an authority, a server's, a client's, and an authority that signed nothing.

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use tempfile::TempDir;

use crate::harness::folders;

#[derive(Debug)]
pub(crate) struct Certificates {
    folder: TempDir,
    server: Vec<(&'static str, String)>,
}

impl Certificates {
    pub(crate) fn make() -> Result<Self> {
        let (authority, other) = (
            authority("revolve test authority")?,
            authority("another authority")?,
        );
        let server = signed(
            "localhost",
            &["localhost"],
            ExtendedKeyUsagePurpose::ServerAuth,
            &authority,
        )?;
        let client = signed(
            "certified",
            &[],
            ExtendedKeyUsagePurpose::ClientAuth,
            &authority,
        )?;
        let folder = folders::temporary("tls")?;
        let files = [
            ("ca.pem", authority.pem()),
            ("other-ca.pem", other.pem()),
            ("client.pem", client.0.clone()),
            ("client.key", client.1.clone()),
        ];
        for (name, text) in &files {
            std::fs::write(folder.path().join(name), text)?;
        }
        let server = vec![
            ("ca.pem", authority.pem()),
            ("server.pem", server.0),
            ("server.key", server.1),
            ("client.pem", client.0),
            ("client.key", client.1),
        ];
        Ok(Self { folder, server })
    }

    /// Files for a server; the client's are for the check that it serves.
    pub(crate) fn for_server(&self) -> Vec<(&'static str, String)> {
        self.server.clone()
    }

    /// The folder with the clients' files: `ca.pem`, `other-ca.pem`, `client.pem`, `client.key`.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

fn authority(name: &str) -> Result<CertifiedIssuer<'static, KeyPair>> {
    let mut params = CertificateParams::new([])?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?)
}

fn signed(
    name: &str,
    hosts: &[&str],
    usage: ExtendedKeyUsagePurpose,
    issuer: &CertifiedIssuer<'_, KeyPair>,
) -> Result<(String, String)> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(
        hosts
            .iter()
            .map(|host| (*host).to_owned())
            .collect::<Vec<_>>(),
    )?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.extended_key_usages = vec![usage];
    let certificate = params.signed_by(&key, issuer)?;
    Ok((certificate.pem(), key.serialize_pem()))
}
