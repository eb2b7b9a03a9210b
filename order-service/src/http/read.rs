//! `GET /orders/{id}`.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::OrderId;
use service_kit::{extract::Path, problem::Problem};

use super::{Api, buyer::Buyer, problem, view::OrderView};

/// The buyer's own order; another buyer's is as good as none.
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
