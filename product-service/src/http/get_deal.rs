//! `GET /products/deals/{deal_id}`: a deal of any status, its times and its sum, as the ledger has it.

use axum::{Json as Body, extract::State};
use domain::DealId;
use service_kit::{extract::Path, problem::Problem};

use super::{Shop, body::DealBody};

pub(super) async fn get(
    State(shop): State<Shop>,
    Path(deal_id): Path<DealId>,
) -> Result<Body<DealBody>, Problem> {
    Ok(Body(shop.deals.deal(deal_id).await?.into()))
}
