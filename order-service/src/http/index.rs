//! `GET /`: what there is.

use axum::Json;
use serde_json::{Value, json};

/// Every endpoint in one line.
pub(super) async fn index() -> Json<Value> {
    Json(json!({
        "service": "order-service",
        "version": env!("CARGO_PKG_VERSION"),
        "endpoints": [
            "POST /orders",
            "GET /orders?page&size&status",
            "GET /orders/{id}",
            "POST /orders/{id}/confirm",
            "POST /orders/{id}/cancel",
        ],
    }))
}
