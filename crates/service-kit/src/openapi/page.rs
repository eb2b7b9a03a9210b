//! `/`, `/openapi.json`, and the page on which to read and try it. The page's files are part of the program:
//! it needs no internet, and its policy forbids it any.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::Config;

use crate::problem::Problem;

pub(super) const DOCUMENT: &str = "/openapi.json";

/// The page writes its styles into itself; everything else comes from us.
const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// `/`, a list of what there is; `/openapi.json`; and `/docs`, the page on which to read and try it.
pub fn router(document: &OpenApi) -> Router {
    let index = super::index::index(document);
    // Strings, numbers and maps always serialize.
    let document = Bytes::from(serde_json::to_vec(document).unwrap_or_default());
    let json = [(header::CONTENT_TYPE, "application/json")];
    // The validator's badge would ask a server of somebody else's.
    let config = Config::from(DOCUMENT)
        .validator_url("none")
        .try_it_out_enabled(true)
        .display_request_duration(true)
        .persist_authorization(true);
    Router::new()
        .route("/", get(async move || Json(index)))
        .route(DOCUMENT, get(async move || (json, document)))
        .route("/docs", get(async || Redirect::permanent("/docs/")))
        .route("/docs/", get(start))
        .route("/docs/{file}", get(file))
        .with_state(Arc::new(config))
}

async fn start(config: State<Arc<Config<'static>>>) -> Response {
    file(config, Path("index.html".to_owned())).await
}

async fn file(State(config): State<Arc<Config<'static>>>, Path(name): Path<String>) -> Response {
    let file = match utoipa_swagger_ui::serve(&name, config) {
        Ok(Some(file)) => file,
        Ok(None) => {
            return Problem::new(404, "NOT_FOUND", "the page has no such file").into_response();
        }
        Err(error) => {
            tracing::error!(%error, "the page's settings cannot be written");
            return Problem::new(500, "INTERNAL", "something went wrong on our side")
                .into_response();
        }
    };
    let is_zipped = file.gzpipped;
    let content_type = [(header::CONTENT_TYPE, file.content_type)];
    let mut response = (content_type, file.bytes.into_owned()).into_response();
    let headers = response.headers_mut();
    if is_zipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let policy = HeaderName::from_static("content-security-policy");
    headers.insert(policy, HeaderValue::from_static(POLICY));
    response
}
