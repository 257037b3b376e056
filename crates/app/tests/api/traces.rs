//! Traces as an OpenTelemetry collector gets them.

use crate::{collector::Collector, support::PASSWORD};
use serde_json::json;
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A service, and its standard output, which must stay open.
struct TracedService {
    child: Child,
    _output: BufReader<ChildStdout>,
    url: String,
}

/// The binary with a collector at that address, once it listens.
fn start(folder: &TempDir, endpoint: &str) -> TracedService {
    let mut command = Command::new(env!("CARGO_BIN_EXE_revolve"));
    command
        .current_dir(folder.path())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    command
        .env("REVOLVE__HTTP__LISTEN", "127.0.0.1:0")
        .env("REVOLVE__HASHING__MEMORY_KIB", "64");
    // Thousands of sign-ups from one address.
    command.env("REVOLVE__LIMITS__ENABLED", "false");
    // Nothing is sent before the end by itself: what arrives was flushed.
    command
        .env("OTEL_BSP_SCHEDULE_DELAY", "3600000")
        .env("REVOLVE__TRACES__ENDPOINT", endpoint);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    output.read_line(&mut line).unwrap();
    let url = line
        .trim()
        .strip_prefix("listening on ")
        .unwrap()
        .to_owned();
    TracedService {
        child,
        _output: output,
        url,
    }
}

async fn stop(service: TracedService) -> Duration {
    let mut child = service.child;
    let began = Instant::now();
    assert!(
        Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
    let ended = tokio::task::spawn_blocking(move || child.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(ended.success());
    began.elapsed()
}

async fn sign_up(url: &str, traceparent: &str) -> u16 {
    let request = reqwest::Client::new()
        .post(format!("{url}/api/account/signup"))
        .header("traceparent", traceparent);
    let body = json!({ "email": "ann@example.org", "password": PASSWORD });
    request.json(&body).send().await.unwrap().status().as_u16()
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[actix_web::test]
async fn a_trace_goes_on_and_is_sent_when_the_service_stops() {
    let (folder, collector) = (TempDir::new().unwrap(), Collector::start());
    let service = start(&folder, &format!("{}/v1/traces", collector.url()));
    assert_eq!(sign_up(&service.url, TRACE).await, 201);
    stop(service).await;
    let sent = collector.received().concat();
    let contains = |wanted: &[u8]| sent.windows(wanted.len()).any(|window| window == wanted);
    let (trace_id, parent_id) = (
        0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128,
        0x00f0_67aa_0ba9_02b7_u64,
    );
    assert!(
        contains(&trace_id.to_be_bytes()) && contains(&parent_id.to_be_bytes()),
        "the client's trace goes on"
    );
    for word in [
        "service.name",
        "revolve",
        "POST /api/account/signup",
        "http.response.status_code",
        "store",
        "create_account",
        "account.created",
    ] {
        assert!(contains(word.as_bytes()), "{word}");
    }
    assert!(!contains(PASSWORD.as_bytes()) && !contains(b"eyJ"));
}

#[actix_web::test]
async fn a_collector_that_hangs_holds_up_nobody() {
    let folder = TempDir::new().unwrap();
    // It takes connections and never answers.
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let service = start(
        &folder,
        &format!("http://{}/v1/traces", hanging.local_addr().unwrap()),
    );
    let began = Instant::now();
    assert_eq!(sign_up(&service.url, TRACE).await, 201);
    for _ in 0..3000 {
        assert_eq!(sign_up(&service.url, TRACE).await, 409);
        if began.elapsed() > Duration::from_secs(5) {
            break;
        }
    }
    let stopped = stop(service).await;
    assert!(stopped < Duration::from_secs(10), "{stopped:?}");
}
