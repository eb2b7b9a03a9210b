//! `POST /orders/{id}/cancel`.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::OrderId;
use serde::Deserialize;
use service_kit::{
    extract::{OptionalJson, Path},
    problem::{FieldError, Problem},
};

use super::{Api, buyer::Buyer, problem, view::OrderView};
use crate::cancel::NOTE_LEN_MAX;

/// `{reason?}`.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Cancel {
    reason: Option<String>,
}

/// Gives the buyer's order up, for a reason in his own words.
pub(super) async fn cancel(
    State(api): State<Arc<Api>>,
    Buyer(buyer): Buyer,
    Path(id): Path<OrderId>,
    OptionalJson(Cancel { reason }): OptionalJson<Cancel>,
) -> Result<Json<OrderView>, Problem> {
    if reason.as_deref().is_some_and(|reason| !is_note(reason)) {
        let message =
            format!("must be at most {NOTE_LEN_MAX} characters without control characters");
        return Err(problem::invalid(vec![FieldError::new("reason", message)]));
    }
    let (orders, deadline) = (api.orders.clone(), api.deadline());
    let work = async move { orders.cancel(id, buyer, reason.as_deref(), deadline).await };
    match api.finish(work).await? {
        Ok(order) => Ok(Json(order.into())),
        Err(error) => Err(problem::not_ended(&error)),
    }
}

fn is_note(text: &str) -> bool {
    // People break lines when they complain.
    let is_bad = |c: char| c.is_control() && c != '\n';
    text.chars().count() <= NOTE_LEN_MAX && !text.chars().any(is_bad)
}
