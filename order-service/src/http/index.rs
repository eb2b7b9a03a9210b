//! `GET /`: what there is.

use axum::Json;
use serde_json::{Value, json};

/// Every endpoint in one line.
pub(super) async fn index() -> Json<Value> {
    let path = |method: &str, path: &str, what: &str| json!({"method": method, "path": path, "what": what});
    Json(json!({
        "service": "order-service",
        "version": env!("CARGO_PKG_VERSION"),
        "paths": [
            path("POST", "/orders", "place an order {items:[{product_id, quantity, deal_id?}], shipping_address?}"),
            path("GET", "/orders?page&size&status", "your orders, the newest first"),
            path("GET", "/orders/{id}", "one of your orders"),
            path("POST", "/orders/{id}/confirm", "make it final"),
            path("POST", "/orders/{id}/cancel", "give its stock back {reason?}"),
        ],
    }))
}
