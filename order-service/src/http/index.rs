//! `GET /`: what there is.

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

/// The path `/`, which the all-in-one binary answers in its own words.
pub fn router() -> Router {
    Router::new().route("/", get(async || Json(index())))
}

/// The service, its version, and every endpoint in one line.
pub fn index() -> Value {
    let path = |method: &str, path: &str, what: &str| json!({"method": method, "path": path, "what": what});
    json!({
        "service": "order-service",
        "version": env!("CARGO_PKG_VERSION"),
        "paths": [
            path("POST", "/orders", "place an order {items:[{product_id, quantity, deal_id?}], shipping_address?}"),
            path("GET", "/orders?page&size&status&created_from&created_to", "your orders, the newest first; several statuses with commas"),
            path("GET", "/orders/{id}", "one of your orders"),
            path("GET", "/orders/{id}/events", "its changes as server-sent events"),
            path("POST", "/orders/{id}/confirm", "make it final"),
            path("POST", "/orders/{id}/cancel", "give its stock back, confirmed or not {reason?}"),
        ],
    })
}
