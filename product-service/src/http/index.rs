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
        "service": "product-service",
        "version": env!("CARGO_PKG_VERSION"),
        "paths": [
            path("GET", "/products?page&size&category", "products, the newest first"),
            path("POST", "/products", "add a product {name, description?, price, category?, stock}"),
            path("GET", "/products/{product_id}", "one product"),
            path("PATCH", "/products/{product_id}", "change {name?, description?, price?, category?}"),
            path("GET", "/products/{product_id}/stock", "stock on offer, and where the shelf's units are"),
            path("PATCH", "/products/{product_id}/stock", "add units to the shelf or write some off {delta}"),
            path("POST", "/products/{product_id}/hotdeal/start",
                "start a hot deal {quantity?, deal_price?, per_user_limit?, ends_at?}"),
            path("POST", "/products/{product_id}/hotdeal/pause", "keep its units and sell none for a while"),
            path("POST", "/products/{product_id}/hotdeal/resume", "sell again"),
            path("POST", "/products/{product_id}/hotdeal/restock", "add units to it or write some off {delta}"),
            path("POST", "/products/{product_id}/hotdeal/end", "end it; what is left goes back to the shelf"),
            path("GET", "/products/{product_id}/hotdeal", "the deal's live sum, its gate and the drift"),
            path("GET", "/products/deals?page&size&status&product_id", "deals, the newest first"),
            path("POST", "/products/deals",
                "plan a deal {product_id, deal_price, deal_stock, starts_at, ends_at, per_user_limit?}"),
            path("GET", "/products/deals/{deal_id}", "a deal, its times and its sum"),
            path("DELETE", "/products/deals/{deal_id}", "drop a deal that has not opened yet"),
        ],
    })
}
