//! `POST /orders/{id}/confirm`.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::{ErrorCode, OrderId};
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals};

use super::{Api, buyer::Buyer, problem, view::OrderView};
use crate::confirm::By;

refusals!(
    Refused = Refusals::new()
        .parameters()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::HoldEnded,
            ErrorCode::IllegalTransition,
            ErrorCode::RateLimited
        ]))
);

/// Makes the buyer's order final. Any body is ignored: there is nothing to say.
#[utoipa::path(
    post,
    path = "/orders/{id}/confirm",
    operation_id = "confirmOrder",
    tag = "orders",
    params(("id" = OrderId, Path)),
    security(("user" = [])),
    responses((status = 200, description = "The order as it stands.", body = OrderView), Refused),
)]
pub(super) async fn confirm(
    State(api): State<Arc<Api>>,
    Buyer(buyer): Buyer,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderView>, Problem> {
    let (orders, deadline) = (api.orders.clone(), api.deadline());
    let work = async move { orders.confirm(id, By::Buyer(buyer), deadline).await };
    match api.finish(work).await? {
        Ok(order) => Ok(Json(order.into())),
        Err(error) => Err(problem::not_confirmed(error)),
    }
}
