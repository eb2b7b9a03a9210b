//! Every route.

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use super::{Api, cancel, confirm, events, list, place, read};

/// The buyers' interface over `api`, without [`super::index`], so that it can be merged with another
/// service's. The server adds limits and traces.
pub fn router(api: Arc<Api>) -> Router {
    Router::new()
        .route("/orders", post(place::place).get(list::list))
        .route("/orders/{id}", get(read::read))
        .route("/orders/{id}/events", get(events::events))
        .route("/orders/{id}/confirm", post(confirm::confirm))
        .route("/orders/{id}/cancel", post(cancel::cancel))
        .with_state(api)
}
