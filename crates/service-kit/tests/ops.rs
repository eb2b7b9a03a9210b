//! The ops port: health, and metrics with their buckets.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::net::SocketAddr;

use axum::{Router, routing::get};
use futures::FutureExt as _;
use serde_json::{Value, json};
use service_kit::{
    config::Common,
    health::Health,
    ops,
    server::{HttpLimits, serve_http},
    telemetry,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let limits = HttpLimits::from(&Common::default());
    tokio::spawn(serve_http(
        listener,
        router,
        limits,
        CancellationToken::new(),
    ));
    addr
}

async fn serve_ops(health: Health) -> SocketAddr {
    let telemetry = telemetry::init(&Common::default(), "test").unwrap();
    serve(ops::router(health, &telemetry)).await
}

async fn fetch(addr: SocketAddr, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{addr}{path}")).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_service_that_lost_something_optional_is_ready_but_degraded() {
    let health = Health::new()
        .required("postgres", || async { Ok(()) }.boxed())
        .optional("redis", || async { Err("refused".to_owned()) }.boxed());
    let addr = serve_ops(health).await;
    let (status, body) = fetch(addr, "/health/ready").await;
    assert_eq!(status, 200);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({"status": "degraded", "checks": {
            "postgres": {"status": "ok"}, "redis": {"status": "failed", "message": "refused"}}})
    );
}

#[tokio::test]
async fn a_service_without_what_it_needs_lives_but_is_not_ready() {
    let health = Health::new().required("postgres", || async { Err("gone".to_owned()) }.boxed());
    let addr = serve_ops(health).await;
    assert_eq!(fetch(addr, "/health/ready").await.0, 503);
    assert_eq!(
        fetch(addr, "/health/live").await,
        (200, r#"{"status":"ok"}"#.to_owned())
    );
}

#[tokio::test]
async fn metrics_have_buckets_and_routes_for_labels() {
    let ops = serve_ops(Health::new()).await;
    let shop = serve(Router::new().route("/things/{id}", get(async || "thing"))).await;
    fetch(shop, "/things/1").await;
    fetch(shop, "/things/2").await;
    fetch(shop, "/nowhere/3").await;
    metrics::histogram!("kit_test_batch_len").record(3.0);
    let (_, text) = fetch(ops, "/metrics").await;
    for line in [
        r#"http_requests_total{method="GET",path="/things/{id}",status="200"} 2"#,
        r#"http_requests_total{method="GET",path="none",status="404"} 1"#,
        r#"http_request_duration_seconds_bucket{path="/things/{id}",le="10"} 2"#,
        r#"kit_test_batch_len_bucket{le="2"} 0"#,
        r#"kit_test_batch_len_bucket{le="4"} 1"#,
    ] {
        assert!(text.contains(line), "{line} is missing in\n{text}");
    }
    assert!(text.contains(r#"le="0.00005""#), "{text}");
    assert!(
        text.contains("# HELP http_requests_total HTTP requests answered"),
        "{text}"
    );
}
