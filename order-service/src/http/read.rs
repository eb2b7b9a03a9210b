//! `GET /orders/{id}`.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::{ErrorCode, OrderId};
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals};

use super::{Api, buyer::Buyer, problem, view::OrderView};

refusals!(
    Refused = Refusals::new()
        .parameters()
        .unauthorized()
        .also(ErrorCode::documented(&[ErrorCode::NotFound]))
);

/// The buyer's own order; another buyer's is as good as none.
#[utoipa::path(
    get,
    path = "/orders/{id}",
    operation_id = "getOrder",
    tag = "orders",
    params(("id" = OrderId, Path)),
    security(("user" = [])),
    responses((status = 200, description = "The order as it stands.", body = OrderView), Refused),
)]
pub(super) async fn read(
    State(api): State<Arc<Api>>,
    Buyer(buyer): Buyer,
    Path(id): Path<OrderId>,
) -> Result<Json<OrderView>, Problem> {
    let is_own = |order: &crate::order::Order| order.user_id == buyer;
    match api.orders.read(id, is_own).await {
        Ok((order, _)) => Ok(Json(order.into())),
        Err(error) => Err(problem::not_ended(&error)),
    }
}
