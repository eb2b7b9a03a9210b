//! `POST /orders/{id}/confirm`.

use std::sync::Arc;

use axum::{Json, extract::State};
use domain::OrderId;
use service_kit::{extract::Path, problem::Problem};

use super::{Api, buyer::Buyer, problem, view::OrderView};
use crate::confirm::By;

/// Makes the buyer's order final. Any body is ignored: there is nothing to say.
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
