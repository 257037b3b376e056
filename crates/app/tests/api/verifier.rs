//! Accounts of a system that gives no hashes away: `import.verifier` is asked once.

use crate::support::{App, Store, with_prepared};
use serde_json::{Value, json};
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

/// The former system: it knows one password for everybody.
struct Former {
    asked: Arc<AtomicUsize>,
    down: Arc<AtomicBool>,
    /// Its certificate.
    folder: TempDir,
    port: u16,
}

impl Former {
    async fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), made.cert.pem()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (asked, down) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (count, is_down) = (Arc::clone(&asked), Arc::clone(&down));
        actix_web::rt::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let (mut request, mut chunk) = (Vec::new(), [0; 1024]);
                while !request.ends_with(b"}") {
                    match stream.read(&mut chunk).await {
                        Ok(read @ 1..) => request.extend_from_slice(&chunk[..read]),
                        _ => break,
                    }
                }
                count.fetch_add(1, Ordering::SeqCst);
                let body = request.rsplit(|byte| *byte == b'\n').next().unwrap();
                let body: Value = serde_json::from_slice(body).unwrap_or_default();
                let status = if is_down.load(Ordering::SeqCst) {
                    "500 Internal Server Error"
                } else if body["password"] == "correct horse" {
                    "204 No Content"
                } else {
                    "401 Unauthorized"
                };
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Self {
            asked,
            down,
            folder,
            port,
        }
    }

    fn config(&self) -> String {
        format!(
            "import.verifier = 'https://localhost:{}/verify'\nimport.ca_file = '{}'\n",
            self.port,
            self.folder.path().join("ca.pem").display()
        )
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::SeqCst)
    }
}

async fn import(app: &App, rows: &str, arguments: &[&str]) -> Value {
    let file = app.backing.folder.path().join("users.jsonl");
    fs::write(&file, rows).unwrap();
    let import = ["user", "import", "users.jsonl", "--json"];
    let said = app.revolve(&[&import[..], arguments].concat()).await;
    said.expect(0).json()
}

async fn asked_once(app: App, former: Former) {
    let (ann, other) = ("ann@example.org", "ann.other@example.org");
    let rows = format!("{}\n{}", json!({ "email": ann }), json!({ "email": other }));
    let said = import(&app, &rows, &["--verifier"]).await;
    assert_eq!(
        (&said["imported"], &said["withoutPassword"]),
        (&json!(2), &json!(2))
    );

    let mut client = app.anon();
    client
        .sign_in(ann, "wrong horse")
        .await
        .expect_problem(401, "invalid_credentials");
    client.sign_in(ann, "correct horse").await.expect(200);
    client.refresh().await.expect(200);
    assert_eq!(former.asked(), 2);
    former.down.store(true, Ordering::SeqCst);
    client.sign_in(ann, "correct horse").await.expect(200);
    client
        .sign_in(ann, "wrong horse")
        .await
        .expect_problem(401, "invalid_credentials");
    assert_eq!(former.asked(), 0, "the hash is here");

    app.anon()
        .sign_in(other, "correct horse")
        .await
        .expect_problem(503, "unavailable");
    assert_eq!(former.asked(), 1);
    let exported = app.revolve(&["user", "export", "-"]).await.expect(0).out;
    let row = |email: &str| -> Value {
        let rows = exported
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.into_iter().find(|row| row["email"] == email).unwrap()
    };
    assert!(
        row(ann)["passwordHash"]
            .as_str()
            .unwrap()
            .starts_with("$argon2id$")
    );
    assert!(row(ann).get("verifier").is_none());
    assert_eq!(
        (row(other).get("passwordHash"), &row(other)["verifier"]),
        (None, &json!(true))
    );

    // What was exported comes back as it was.
    app.revolve(&["user", "delete", other, "--yes"])
        .await
        .expect(0);
    assert_eq!(import(&app, &exported, &[]).await["imported"], 1);
    former.down.store(false, Ordering::SeqCst);
    app.anon().sign_in(other, "correct horse").await.expect(200);
    assert_eq!(former.asked(), 1);
}

#[test]
fn embedded() {
    with_former(Store::Embedded);
}

#[test]
fn server() {
    with_former(Store::Server);
}

fn with_former(store: Store) {
    let prepare = async || {
        let former = Former::start().await;
        (former.config(), former)
    };
    with_prepared(store, prepare, asked_once);
}
