//! `DELETE /products/deals/{deal_id}`: drops a deal that has not opened yet.

use axum::{extract::State, http::StatusCode};
use domain::{DealId, ErrorCode};
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals};

use super::Shop;

refusals!(
    Refused = Refusals::new()
        .parameters()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::IllegalTransition
        ]))
);

/// Drops a deal that has not opened yet.
#[utoipa::path(
    delete,
    path = "/products/deals/{deal_id}",
    operation_id = "dropDeal",
    tag = "deals",
    params(("deal_id" = DealId, Path)),
    security(("bearer" = [])),
    responses((status = 204, description = "It is gone."), Refused),
)]
pub(super) async fn cancel(
    State(shop): State<Shop>,
    Path(deal_id): Path<DealId>,
) -> Result<StatusCode, Problem> {
    shop.deals.cancel(deal_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
