//! `POST /products/{product_id}/hotdeal/restock`: adds units to the deal or writes some off.

use axum::{Json as Body, extract::State};
use domain::ProductId;
use serde::Deserialize;
use service_kit::{
    extract::{Json, Path},
    problem::Problem,
};

use super::{
    Shop, adjust_stock,
    body::{ChangedDealBody, ServerSet},
};

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    delta: i64,
    // How much there is follows from the delta.
    #[serde(default, rename = "stock")]
    _stock: ServerSet,
    #[serde(default, rename = "product_id")]
    _product_id: ServerSet,
    #[serde(default, rename = "deal_id")]
    _deal_id: ServerSet,
    #[serde(default, rename = "status")]
    _status: ServerSet,
}

pub(super) async fn restock(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
    Json(request): Json<Request>,
) -> Result<Body<ChangedDealBody>, Problem> {
    let delta = adjust_stock::check(request.delta)?;
    let restocked = shop.deals.restock(product_id, delta).await?;
    let message = match delta > 0 {
        true => "units were added to the hot deal",
        false => "units of the hot deal were written off",
    };
    Ok(Body(ChangedDealBody::new(&restocked.deal, message)))
}
