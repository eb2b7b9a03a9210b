//! `DELETE /products/deals/{deal_id}`: drops a deal that has not opened yet.

use axum::{extract::State, http::StatusCode};
use domain::DealId;
use service_kit::{extract::Path, problem::Problem};

use super::Shop;

pub(super) async fn cancel(
    State(shop): State<Shop>,
    Path(deal_id): Path<DealId>,
) -> Result<StatusCode, Problem> {
    shop.deals.cancel(deal_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
