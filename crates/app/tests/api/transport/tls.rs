//! TLS without a proxy.

use crate::support::{Actor, App, PASSWORD, Store, with_config};
use futures_util::stream;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519, date_time_ymd, generate_simple_self_signed};
use reqwest::{Method, Version, tls};
use revolve::config::Config;
use serde_json::json;
use std::{convert::Infallible, fs, path::Path, time::Duration};
use tempfile::TempDir;
use tokio::time::timeout;

/// A certificate of its own authority and its key, in files.
struct Files(TempDir);

impl Files {
    fn new() -> (Self, String) {
        let files = Self(TempDir::new().unwrap());
        let certificate = files.renew();
        (files, certificate)
    }

    /// Others, for the same name.
    fn renew(&self) -> String {
        let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        // The key first: a look between the two finds a pair that does not fit and keeps the old one.
        fs::write(self.key(), made.signing_key.serialize_pem()).unwrap();
        fs::write(self.certificate(), made.cert.pem()).unwrap();
        made.cert.pem()
    }

    fn certificate(&self) -> std::path::PathBuf {
        self.0.path().join("certificate.pem")
    }

    fn key(&self) -> std::path::PathBuf {
        self.0.path().join("key.pem")
    }

    fn config(&self) -> String {
        config(&self.certificate(), &self.key())
    }
}

fn config(certificate: &Path, key: &Path) -> String {
    let (certificate, key) = (certificate.display(), key.display());
    format!(
        "http.tls.certificate_file = '{certificate}'\nhttp.tls.private_key_file = '{key}'\nhttp.tls.reload_interval = '1s'\n\
         http.request_timeout = '2s'\n"
    )
}

/// A client that trusts this certificate and no other.
fn client(
    certificate: &str,
    app: &App,
    versions: std::ops::RangeInclusive<tls::Version>,
) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap()])
        .resolve("localhost", app.address)
        .min_tls_version(*versions.start())
        .max_tls_version(*versions.end())
        .build()
        .unwrap()
}

fn actor(certificate: &str, app: &App) -> Actor {
    let client = client(
        certificate,
        app,
        tls::Version::TLS_1_2..=tls::Version::TLS_1_3,
    );
    Actor::new(client, format!("https://localhost:{}", app.address.port()))
}

/// It may then be at any address.
#[test]
fn the_admin_api_is_served_over_tls_too() {
    let (files, certificate) = Files::new();
    let config = format!("http.admin_listen = '0.0.0.0:0'\n{}", files.config());
    with_config(Store::Embedded, &config, async |app| {
        let port = app.admin.unwrap().port();
        let versions = tls::Version::TLS_1_2..=tls::Version::TLS_1_3;
        let client = client(&certificate, &app, versions);
        let url = |scheme: &str| format!("{scheme}://localhost:{port}/api/admin/users");
        let answer = client.get(url("https")).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert!(client.get(url("http")).send().await.is_err());
    });
}

#[test]
fn the_api_is_served_over_tls_and_nothing_else_is() {
    let (files, certificate) = Files::new();
    with_config(Store::Embedded, &files.config(), async |app| {
        let ann = actor(&certificate, &app);
        let request = ann
            .request(Method::POST, "/api/account/signup")
            .json(&json!({ "email": "ann@example.org", "password": PASSWORD }));
        let response = request.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), response.version()),
            (201, Version::HTTP_11)
        );
        let cookie = response.headers()["set-cookie"].to_str().unwrap();
        assert!(
            cookie.starts_with("__Host-revolve-device-") && cookie.contains("Secure"),
            "{cookie}"
        );
        assert_eq!(
            response.headers()["strict-transport-security"],
            "max-age=31536000"
        );

        for version in [tls::Version::TLS_1_2, tls::Version::TLS_1_3] {
            let client = client(&certificate, &app, version..=version);
            let answer = client
                .get(format!(
                    "https://localhost:{}/health/ready",
                    app.address.port()
                ))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200, "{version:?}");
        }
        // Plain HTTP is no TLS.
        assert!(
            app.anon()
                .request(Method::GET, "/health/live")
                .send()
                .await
                .is_err()
        );
    });
}

#[test]
fn a_new_certificate_is_used_without_a_restart_and_a_bad_one_is_not() {
    let (files, old) = Files::new();
    with_config(Store::Embedded, &files.config(), async |app| {
        let answers = async |certificate: &str| {
            actor(certificate, &app)
                .request(Method::GET, "/health/live")
                .send()
                .await
                .is_ok()
        };
        assert!(answers(&old).await);
        fs::write(files.certificate(), "no certificate").unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        assert!(answers(&old).await, "the old one stays");
        let new = files.renew();
        let used = async {
            while !answers(&new).await {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(20), used)
            .await
            .expect("the new certificate is used");
        assert!(!answers(&old).await, "the old one is not");
    });
}

#[test]
fn slow_clients_are_cut_off_within_tls_too() {
    let (files, certificate) = Files::new();
    with_config(Store::Embedded, &files.config(), async |app| {
        // Who does not even shake hands.
        let (_, took) = crate::support::Raw::connect(&app).await.rest().await;
        assert!(took < Duration::from_secs(8), "{took:?}");
        let (_, took) = crate::support::Raw::connect(&app)
            .await
            .drip("\u{16}\u{3}\u{1}\u{1}")
            .await;
        assert!(took < Duration::from_secs(8), "{took:?}");
        // Who does, and then sends a body that never ends.
        let ann = actor(&certificate, &app);
        let body = reqwest::Body::wrap_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
        let request = ann
            .request(Method::POST, "/api/account/signin")
            .header("Content-Type", "application/json")
            .body(body);
        ann.send(request).await.expect_problem(408, "body_too_slow");
        // The connection is good for others.
        ann.send(ann.request(Method::GET, "/health/live"))
            .await
            .expect(200);
    });
}

#[test]
fn what_is_wrong_with_the_files_is_said() {
    let (files, _) = Files::new();
    let folder = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let other = KeyPair::generate_for(&PKCS_ED25519).unwrap();
    let (certificate, key) = (files.certificate(), files.key());
    let missing = folder.path().join("missing.pem");
    for (certificate, key, expected) in [
        (&missing, &key, "http.tls.certificate_file: can't read"),
        (
            &certificate,
            &missing,
            "http.tls.private_key_file: can't read",
        ),
        (
            &file("empty", ""),
            &key,
            "http.tls.certificate_file: has no certificate in PEM",
        ),
        (
            &file(
                "bad",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            ),
            &key,
            "http.tls.certificate_file: is no X.509",
        ),
        (
            &certificate,
            &certificate,
            "http.tls.private_key_file: has no private key in PEM",
        ),
        (
            &certificate,
            &file("other", &other.serialize_pem()),
            "http.tls.private_key_file: belongs to another certificate",
        ),
    ] {
        let data = folder.path().join("data");
        let text = format!(
            "data_dir = '{}'\nhttp.listen = '127.0.0.1:0'\n{}",
            data.display(),
            config(certificate, key)
        );
        let config = Config::from_toml(&text).unwrap();
        let built = actix_web::rt::System::new().block_on(revolve::Application::build(config));
        let error = format!("{:#}", built.err().expect("it does not start"));
        assert!(error.starts_with(expected), "{error}");
        assert!(!error.contains("BEGIN"), "{error}");
        assert!(!data.exists(), "nothing was begun");
    }
    let alone = Config::from_toml(&format!(
        "http.tls.certificate_file = '{}'",
        certificate.display()
    ));
    assert!(alone.unwrap_err().to_string().contains("needed together"));
}

#[test]
fn an_expired_certificate_is_only_a_warning() {
    let (files, _) = Files::new();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    fs::write(files.certificate(), params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(files.key(), key.serialize_pem()).unwrap();
    with_config(Store::Embedded, &files.config(), async |app| {
        // Clients refuse it, and say why.
        let certificate = fs::read_to_string(files.certificate()).unwrap();
        assert!(
            actor(&certificate, &app)
                .request(Method::GET, "/health/live")
                .send()
                .await
                .is_err()
        );
    });
}
