//! `POST /orders`.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use domain::{ErrorCode, UserId};
use service_kit::{
    extract::JsonText,
    openapi::Refusals,
    problem::{FieldError, Problem},
    refusals,
};

use super::{
    Api,
    body::{self, OrderBody, Wrong},
    buyer::Buyer,
    problem,
    view::OrderView,
};
use crate::{
    order::{IdempotencyKey, Order},
    place::{Place, Placed},
};

const KEY: &str = "idempotency-key";
const REPLAYED: &str = "idempotent-replayed";

refusals!(
    Refused = Refusals::new()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::OutOfStock,
            ErrorCode::PerUserLimit,
            ErrorCode::DealNotOpen,
            ErrorCode::HoldEnded,
            ErrorCode::KeyReused,
            ErrorCode::OrderIdReused,
            ErrorCode::ProductNotFound,
            ErrorCode::RateLimited
        ]))
);

/// Places an order, which is answered once its stock is held and its row is committed.
#[utoipa::path(
    post,
    path = "/orders",
    operation_id = "placeOrder",
    tag = "orders",
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes repeating the request safe: the same key and body answer the same order.", min_length = 1, max_length = 255)),
    request_body(content = OrderBody),
    security(("user" = [])),
    responses((status = 202, description = "The order as it stands.", body = OrderView, headers(("Location" = String, description = "Path of the order."), ("Idempotent-Replayed" = String, description = "`true` when the order was there already."))), Refused),
)]
pub(super) async fn place(
    State(api): State<Arc<Api>>,
    Buyer(user_id): Buyer,
    Key(key): Key,
    body: JsonText,
) -> Result<Response, Problem> {
    let deadline = api.deadline();
    let request = asked(user_id, key, body)?;
    // Nothing is begun that would have to be brought to an end.
    if api.placer.is_sold_out(&request) {
        api.metrics.refused_from_memory();
        return Ok(problem::sold_out());
    }
    let placer = Arc::clone(&api.placer);
    let work = async move { placer.place(request, deadline).await };
    match api.finish(work).await? {
        Ok(placed) => {
            let (order, is_replay) = match placed {
                Placed::New(order) => (order, false),
                Placed::Replayed(order) => (order, true),
            };
            let outcome = if is_replay { "replayed" } else { "accepted" };
            api.metrics.placed(outcome);
            Ok(accepted(order, is_replay))
        }
        Err(error) => {
            let problem = problem::not_placed(error);
            api.metrics.placed(problem.error);
            Err(problem)
        }
    }
}

/// What the buyer asks for. It takes what it reads from: while the order is placed, a body that is still there
/// would keep the connection's buffer from being used again.
fn asked(
    user_id: UserId,
    key: Result<Option<IdempotencyKey>, FieldError>,
    body: JsonText,
) -> Result<Place, Problem> {
    let (key, body) = match (key, body::read(body.text()?)) {
        (Ok(key), Ok(body)) => (key, body),
        (_, Err(Wrong::Text(problem))) => return Err(problem),
        (Err(key), Ok(_)) => return Err(problem::invalid(vec![key])),
        (key, Err(Wrong::Fields(fields))) => {
            let wrong = key.err().into_iter().chain(fields);
            return Err(problem::invalid(wrong.collect()));
        }
    };
    Ok(Place {
        user_id,
        key,
        lines: body.lines,
        shipping_address: body.shipping_address,
    })
}

/// The key of a request; what is wrong with it is said together with what is wrong with the body.
pub(super) struct Key(Result<Option<IdempotencyKey>, FieldError>);

impl<S: Sync> FromRequestParts<S> for Key {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(key(&parts.headers)))
    }
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, FieldError> {
    let wrong = |why: String| FieldError::new("Idempotency-Key", why);
    let mut values = headers.get_all(KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(wrong("must be set once".to_owned()));
    }
    let key = value.to_str().unwrap_or_default().parse::<IdempotencyKey>();
    key.map(Some).map_err(|invalid| wrong(invalid.to_string()))
}

fn accepted(order: Order, is_replay: bool) -> Response {
    let location = HeaderValue::try_from(format!("/orders/{}", order.id));
    let body = axum::Json(OrderView::from(order));
    let mut response = (StatusCode::ACCEPTED, body).into_response();
    let headers = response.headers_mut();
    if let Ok(location) = location {
        headers.insert(header::LOCATION, location);
    }
    if is_replay {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}
