//! `GET /`: what there is.

use axum::{Json, Router, routing::get};
use serde_json::{Value, json};

/// The path `/`, with the paths of both services.
pub(super) fn router() -> Router {
    Router::new().route("/", get(async || Json(index())))
}

fn index() -> Value {
    let mut paths = Vec::new();
    for mut service in [
        order_service::http::index::index(),
        product_service::http::index::index(),
    ] {
        if let Value::Array(own) = service["paths"].take() {
            paths.extend(own);
        }
    }
    json!({
        "service": "hotdeal",
        "version": env!("CARGO_PKG_VERSION"),
        "paths": paths,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_paths_of_both_services_are_listed() {
        let index = index().to_string();
        for path in ["\"/orders/{id}/confirm\"", "\"/products/{product_id}\""] {
            assert!(index.contains(path), "{path} is not in {index}");
        }
    }
}
