//! `GET /products/deals/{deal_id}`: a deal of any status, its times and its sum, as the ledger has it.

use axum::{Json as Body, extract::State};
use domain::{DealId, ErrorCode};
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals};

use super::{Shop, body::DealBody};

refusals!(
    Refused = Refusals::new()
        .parameters()
        .also(ErrorCode::documented(&[ErrorCode::NotFound]))
);

/// A deal, its times and its sum, as the ledger has it.
#[utoipa::path(
    get,
    path = "/products/deals/{deal_id}",
    operation_id = "getDeal",
    tag = "deals",
    params(("deal_id" = DealId, Path)),
    responses((status = 200, description = "The deal.", body = DealBody), Refused),
)]
pub(super) async fn get(
    State(shop): State<Shop>,
    Path(deal_id): Path<DealId>,
) -> Result<Body<DealBody>, Problem> {
    Ok(Body(shop.deals.deal(deal_id).await?.into()))
}
