use super::*;
use actix_web::{
    App, HttpRequest,
    body::MessageBody,
    http::header::HeaderValue,
    middleware::from_fn,
    test::{TestRequest, init_service},
    web,
};
use revolve_observe::telemetry::{LineFormat, layer};
use revolve_testkit::Captured;
use serde_json::Value;
use tracing_subscriber::{fmt, layer::SubscriberExt};

const ID: &str = "0190163d8694739baea5966c26f8ad91";

fn app(
    watch: Watch,
) -> App<
    impl actix_web::dev::ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = Error,
        InitError = (),
    >,
> {
    async fn fine(_: HttpRequest) -> &'static str {
        "fine"
    }
    async fn panics(path: web::Path<String>) -> &'static str {
        panic!("with {path} in it")
    }
    async fn failed() -> Result<&'static str, Problem> {
        Err(Problem::internal(&std::io::Error::other("a fault")))
    }
    async fn never() -> &'static str {
        std::future::pending().await
    }
    let fails = from_fn(
        |_: ServiceRequest, _: actix_web::middleware::Next<actix_web::body::BoxBody>| async move {
            Err::<ServiceResponse<actix_web::body::BoxBody>, Error>(
                Problem::not_found("not here").into(),
            )
        },
    );
    App::new()
        .service(
            web::scope("/scope")
                .wrap(watch.clone())
                .route("/fine/{secret}", web::get().to(fine))
                .route("/panics/{secret}", web::get().to(panics))
                .route("/failed", web::get().to(failed))
                .route("/never", web::get().to(never)),
        )
        .service(
            web::resource("/refused")
                .wrap(fails)
                .route(web::get().to(fine)),
        )
        .wrap(watch)
}

/// What one request leaves behind: the answer, the log, the metrics.
struct Trail {
    status: u16,
    id: Option<HeaderValue>,
    shielded: bool,
    body: String,
    log: String,
    metrics: String,
}

async fn ask(request: TestRequest) -> Trail {
    let page = Captured::default();
    let log = tracing_subscriber::registry()
        .with(fmt::layer().with_ansi(false).with_writer(page.writer()));
    let _log = tracing::subscriber::set_default(log);
    let metrics = Arc::new(Metrics::new());
    let service = init_service(app(Watch::new(
        &metrics,
        &nobody(),
        Shield { https_only: false },
    )))
    .await;
    let response = match service.call(request.to_request()).await {
        Ok(answered) => answered.into_parts().1.map_into_boxed_body(),
        Err(error) => error.error_response(),
    };
    let (status, id) = (
        response.status().as_u16(),
        response.headers().get(REQUEST_ID).cloned(),
    );
    let shielded = response
        .headers()
        .get("x-content-type-options")
        .is_some_and(|value| value == "nosniff");
    let body = actix_web::body::to_bytes(response.into_body())
        .await
        .unwrap();
    Trail {
        status,
        id,
        shielded,
        body: String::from_utf8(body.to_vec()).unwrap(),
        log: page.text(),
        metrics: metrics.render(),
    }
}

#[actix_web::test]
async fn a_request_that_passes_twice_is_told_of_once() {
    let trail = ask(TestRequest::get()
        .uri("/scope/fine/geheim?token=geheim")
        .insert_header(("x-request-id", ID)))
    .await;
    assert_eq!((trail.status, trail.body.as_str()), (200, "fine"));
    assert_eq!(trail.id.unwrap(), ID);
    assert_eq!(trail.log.lines().count(), 1, "{}", trail.log);
    for told in ["/scope/fine/{secret}", ID, "status=200", "duration_ms="] {
        assert!(trail.log.contains(told), "{told} in {}", trail.log);
    }
    let line = "revolve_http_requests_total{route=\"/scope/fine/{secret}\",method=\"GET\",status=\"200\",code=\"\"} 1\n";
    assert!(trail.metrics.contains(line), "{}", trail.metrics);
    assert!(
        trail
            .metrics
            .contains("revolve_http_requests_in_flight 0\n")
    );
    assert!(!(trail.log + &trail.metrics).contains("geheim"));
}

#[actix_web::test]
async fn a_handler_that_panics_answers_with_the_id_and_keeps_what_it_said() {
    let trail = ask(TestRequest::get()
        .uri("/scope/panics/geheim")
        .insert_header(("x-request-id", ID)))
    .await;
    assert!(trail.status == 500 && trail.shielded);
    assert_eq!(trail.id.unwrap(), ID);
    let problem: Value = serde_json::from_str(&trail.body).unwrap();
    assert_eq!(
        (&problem["code"], &problem["requestId"]),
        (&"internal".into(), &ID.into())
    );
    assert!(
        trail.log.contains("a handler panicked") && trail.log.contains("status=500"),
        "{}",
        trail.log
    );
    assert!(
        trail
            .metrics
            .contains("status=\"500\",code=\"internal\"} 1\n"),
        "{}",
        trail.metrics
    );
    assert!(!(trail.log + &trail.metrics + &trail.body).contains("geheim"));
}

#[actix_web::test]
async fn a_fault_has_one_id_in_answer_header_and_log() {
    let trail = ask(TestRequest::get().uri("/scope/failed")).await;
    let problem: Value = serde_json::from_str(&trail.body).unwrap();
    let id = trail.id.unwrap();
    assert_eq!(problem["requestId"], id.to_str().unwrap());
    assert_eq!(
        trail
            .log
            .lines()
            .filter(|line| line.contains(id.to_str().unwrap()))
            .count(),
        2,
        "{}",
        trail.log
    );
    assert!(trail.log.contains("a fault") && !trail.body.contains("a fault"));
}

#[actix_web::test]
async fn what_a_middleware_within_refuses_has_an_id_too() {
    let trail = ask(TestRequest::get()
        .uri("/refused")
        .insert_header(("x-request-id", ID)))
    .await;
    assert_eq!(
        (trail.status, trail.id.unwrap().to_str().unwrap()),
        (404, ID)
    );
    assert!(
        trail.log.contains("status=404") && trail.log.contains("not_found"),
        "{}",
        trail.log
    );
}

#[actix_web::test]
async fn a_client_that_hangs_up_is_told_of() {
    let page = Captured::default();
    let _log = tracing::subscriber::set_default(
        tracing_subscriber::registry()
            .with(fmt::layer().with_ansi(false).with_writer(page.writer())),
    );
    let metrics = Arc::new(Metrics::new());
    let service = init_service(app(Watch::new(
        &metrics,
        &nobody(),
        Shield { https_only: false },
    )))
    .await;
    let mut call = Box::pin(service.call(TestRequest::get().uri("/scope/never").to_request()));
    assert!(futures_util::poll!(&mut call).is_pending());
    assert!(
        metrics
            .render()
            .contains("revolve_http_requests_in_flight 1\n")
    );
    drop(call);
    assert!(page.text().contains("status=499"), "{}", page.text());
    assert!(
        metrics
            .render()
            .contains("status=\"499\",code=\"client_gone\"} 1\n")
    );
}

#[actix_web::test]
async fn the_trace_of_the_client_is_in_the_log_unless_it_is_malformed() {
    let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trail = ask(TestRequest::get()
        .uri("/scope/fine/1")
        .insert_header(("traceparent", good)))
    .await;
    assert!(
        trail
            .log
            .contains("trace_id=4bf92f3577b34da6a3ce929d0e0e4736"),
        "{}",
        trail.log
    );
    let trail = ask(TestRequest::get()
        .uri("/scope/fine/1")
        .insert_header(("traceparent", "00-geheim")))
    .await;
    assert!(
        trail.status == 200 && !trail.log.contains("trace_id") && !trail.log.contains("geheim"),
        "{}",
        trail.log
    );
}

#[actix_web::test]
async fn paths_and_methods_that_nobody_knows_are_not_repeated() {
    let request = TestRequest::default()
        .method("GEHEIM".parse().unwrap())
        .uri("/geheim")
        .insert_header(("x-request-id", "geheim"));
    let trail = ask(request).await;
    assert_eq!(trail.status, 404);
    assert!(
        trail.log.contains("unmatched") && trail.log.contains("other"),
        "{}",
        trail.log
    );
    assert!(
        !(trail.log + &trail.metrics)
            .to_lowercase()
            .contains("geheim")
    );
}

/// What watching costs, and what measuring the stores does: `cargo test --release -p revolve-http -- --ignored --nocapture cost`.
#[actix_web::test]
#[ignore = "measures; says something in a release build only"]
async fn cost_of_watching_a_request() {
    const REQUESTS: u32 = 100_000;
    async fn fine() -> &'static str {
        "fine"
    }
    let mut plain = None;
    for (what, format, level) in [
        ("not watched", LineFormat::Text, "warn"),
        ("watched, log at warn", LineFormat::Text, "warn"),
        ("watched, a line of text", LineFormat::Text, "info"),
        ("watched, a line of JSON", LineFormat::Json, "info"),
    ] {
        let _log = tracing::subscriber::set_default(
            tracing_subscriber::registry().with(layer(level, format, std::io::sink).unwrap().0),
        );
        let is_watched = what.starts_with("watched");
        let watch = actix_web::middleware::Condition::new(
            is_watched,
            Watch::new(
                &Arc::new(Metrics::new()),
                &nobody(),
                Shield { https_only: false },
            ),
        );
        let routes = ["/signup", "/signin", "/tokens", "/me", "/details"];
        let scope = routes
            .iter()
            .fold(web::scope("/api/account"), |scope, path| {
                scope.route(path, web::post().to(fine))
            });
        let service = init_service(App::new().service(scope).wrap(watch)).await;
        let mut best = std::time::Duration::MAX;
        for _ in 0..5 {
            let began = std::time::Instant::now();
            for _ in 0..REQUESTS / 5 {
                let request = TestRequest::post()
                    .uri("/api/account/tokens")
                    .peer_addr(([127, 0, 0, 1], 1).into());
                std::hint::black_box(service.call(request.to_request()).await.map(drop).ok());
            }
            best = best.min(began.elapsed() / (REQUESTS / 5));
        }
        let plain = *plain.get_or_insert(best);
        println!(
            "{what}: {best:?} a request, {:?} more",
            best.saturating_sub(plain)
        );
    }
}

/// No proxy is trusted.
fn nobody() -> Arc<TrustedProxies> {
    Arc::new(TrustedProxies::new(
        Vec::new(),
        crate::ForwardedHeader::default(),
    ))
}
