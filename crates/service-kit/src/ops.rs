//! What the ops port answers: `/health/live`, `/health/ready`, `/metrics`.

use axum::{Json, Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    health::{Health, Status},
    telemetry::Telemetry,
};

/// The routes of the ops port. `/health/live` answers 200 while the process runs, `/health/ready` the
/// report of `health` (503 only when it is unavailable), `/metrics` the Prometheus text format.
pub fn router(health: Health, telemetry: &Telemetry) -> Router {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready).with_state(health))
        .route("/metrics", get(metrics).with_state(telemetry.metrics()))
}

async fn live() -> impl IntoResponse {
    Json(serde_json::json!({"status": Status::Ok}))
}

async fn ready(State(health): State<Health>) -> impl IntoResponse {
    let report = health.report().await;
    let status = match report.status {
        Status::Ok | Status::Degraded => StatusCode::OK,
        Status::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Json(report))
}

async fn metrics(State(handle): State<PrometheusHandle>) -> impl IntoResponse {
    let content_type = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, content_type)], handle.render())
}
