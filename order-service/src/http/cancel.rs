//! `POST /orders/{id}/cancel`.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::{ErrorCode, OrderId};
use serde_json::{Map, Value};
use service_kit::{
    extract::{OptionalJson, Path},
    openapi::Refusals,
    problem::{FieldError, Problem},
    refusals,
};
use utoipa::ToSchema;

use super::{Api, body, buyer::Buyer, problem, view::OrderView};
use crate::cancel::NOTE_LEN_MAX;

/// Fields that only the server sets: whoever sends them believes that they count.
const SERVER_SETS: [&str; 16] = [
    "id",
    "user_id",
    "status",
    "flow",
    "items",
    "unit_price",
    "total_amount",
    "shipping_address",
    "expires_at",
    "created_at",
    "updated_at",
    "confirmed_at",
    "cancel_requested_at",
    "cancelled_at",
    "cancel_reason",
    "deal_id",
];

/// Why the buyer gives it up.
#[derive(ToSchema)]
#[schema(as = Cancellation)]
#[expect(dead_code, reason = "only its shape counts: the body is read by hand")]
pub(super) struct CancelBody {
    /// In their own words.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::IllegalTransition,
            ErrorCode::RateLimited
        ]))
);

/// Gives the buyer's order up, for a reason in their own words.
#[utoipa::path(
    post,
    path = "/orders/{id}/cancel",
    operation_id = "cancelOrder",
    tag = "orders",
    params(("id" = OrderId, Path)),
    request_body(content = Option<CancelBody>),
    security(("user" = [])),
    responses((status = 200, description = "The order as it stands.", body = OrderView), Refused),
)]
pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    Buyer(buyer): Buyer,
    Path(id): Path<OrderId>,
    OptionalJson(body): OptionalJson<Value>,
) -> Result<Json<OrderView>, Problem> {
    let reason = note(body).map_err(problem::invalid)?;
    let (orders, deadline) = (api.orders.clone(), api.deadline());
    let work = async move { orders.cancel(id, buyer, reason, deadline).await };
    match api.finish(work).await? {
        Ok(order) => Ok(Json(order.into())),
        Err(error) => Err(problem::not_ended(&error)),
    }
}

/// The `reason` of `{reason?}`, or everything that is wrong with the body.
fn note(body: Value) -> Result<Option<String>, Vec<FieldError>> {
    let mut body = match body {
        Value::Object(body) => body,
        // An empty body.
        Value::Null => Map::new(),
        _ => return Err(vec![FieldError::new("body", "must be an object")]),
    };
    let mut wrong: Vec<FieldError> = body::server_set(&body, "", &SERVER_SETS).collect();
    let reason = match body.remove("reason") {
        None | Some(Value::Null) => None,
        Some(Value::String(reason)) if is_note(&reason) => Some(reason),
        Some(_) => {
            let message =
                format!("must be at most {NOTE_LEN_MAX} characters without control characters");
            wrong.push(FieldError::new("reason", message));
            None
        }
    };
    if wrong.is_empty() {
        Ok(reason)
    } else {
        Err(wrong)
    }
}

fn is_note(text: &str) -> bool {
    // People break lines when they complain.
    let is_bad = |c: char| c.is_control() && c != '\n';
    text.chars().count() <= NOTE_LEN_MAX && !text.chars().any(is_bad)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(body: Value) -> Vec<String> {
        let wrong = note(body).expect_err("accepted");
        wrong.into_iter().map(|one| one.field).collect()
    }

    #[test]
    fn what_only_the_server_sets_is_refused_by_name() {
        for name in SERVER_SETS {
            assert_eq!(wrong(json!({ name: null })), [name]);
        }
        assert_eq!(
            wrong(json!({"reason": 5, "cancelled_at": 1})),
            ["cancelled_at", "reason"]
        );
        assert_eq!(wrong(json!([])), ["body"]);
    }

    #[test]
    fn a_reason_may_be_missing_and_other_unknown_fields_are_ignored() {
        for body in [Value::Null, json!({}), json!({"reason": null, "mood": 1})] {
            assert_eq!(note(body).unwrap(), None);
        }
        let given = note(json!({"reason": "too\nlate"})).unwrap();
        assert_eq!(given.as_deref(), Some("too\nlate"));
    }
}
