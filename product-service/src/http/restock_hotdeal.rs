//! `POST /products/{product_id}/hotdeal/restock`: adds units to the deal or writes some off.

use axum::{Json as Body, extract::State};
use domain::{ErrorCode, ProductId};
use serde::Deserialize;
use service_kit::{
    extract::{Json, Path},
    openapi::Refusals,
    problem::Problem,
    refusals,
};
use utoipa::ToSchema;

use super::{
    Shop, adjust_stock,
    body::{ChangedDealBody, ServerSet},
};

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = HotDealRestock)]
pub(super) struct Request {
    /// Units to add, or, negative, to write off; not 0.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    delta: i64,
    // How much there is follows from the delta.
    #[serde(default, rename = "stock")]
    #[schema(ignore)]
    _stock: ServerSet,
    #[serde(default, rename = "product_id")]
    #[schema(ignore)]
    _product_id: ServerSet,
    #[serde(default, rename = "deal_id")]
    #[schema(ignore)]
    _deal_id: ServerSet,
    #[serde(default, rename = "status")]
    #[schema(ignore)]
    _status: ServerSet,
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::DealNotOpen,
            ErrorCode::OutOfStock
        ]))
);

/// Adds units to the deal or writes some off.
#[utoipa::path(
    post,
    path = "/products/{product_id}/hotdeal/restock",
    operation_id = "restockHotDeal",
    tag = "deals",
    params(("product_id" = ProductId, Path)),
    request_body(content = Request),
    security(("bearer" = [])),
    responses((status = 200, description = "The deal after it.", body = ChangedDealBody), Refused),
)]
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
