//! Every route. A handler says of itself what it answers, and that is the document.

use std::sync::Arc;

use axum::Router;
use service_kit::openapi::document;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Api, cancel, confirm, events, list, place, read};

/// The buyers' interface over `api`, without the routes of its document, so that it can be merged with
/// another service's. The server adds limits and traces.
pub fn router(api: Arc<Api>) -> Router {
    let (router, _) = documented().split_for_parts();
    router.with_state(api)
}

/// The document of [`router`].
pub fn openapi() -> OpenApi {
    documented().into_openapi()
}

fn documented() -> OpenApiRouter<Arc<Api>> {
    let empty = document(
        "order-service",
        "Orders. Ids are UUIDs, money is in the currency's minor unit.",
    );
    OpenApiRouter::with_openapi(empty)
        .routes(routes!(place::place, list::list))
        .routes(routes!(read::read))
        .routes(routes!(confirm::confirm))
        .routes(routes!(cancel::cancel))
        .routes(routes!(events::events))
}
