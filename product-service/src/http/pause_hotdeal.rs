//! `POST /products/{product_id}/hotdeal/pause`: the deal keeps its units and sells none.

use axum::{Json as Body, extract::State};
use domain::ProductId;
use service_kit::{
    extract::{OptionalJson, Path},
    problem::Problem,
};

use super::{
    Shop,
    body::{ChangedDealBody, Nothing},
    refuse::NeedsOpenDeal,
};

/// The deal keeps its units and sells none.
#[utoipa::path(
    post,
    path = "/products/{product_id}/hotdeal/pause",
    operation_id = "pauseHotDeal",
    tag = "deals",
    params(("product_id" = ProductId, Path)),
    request_body(content = Option<Object>, description = "Nothing need be said."),
    security(("bearer" = [])),
    responses((status = 200, description = "The deal after it.", body = ChangedDealBody), NeedsOpenDeal),
)]
pub(super) async fn pause(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
    OptionalJson(_): OptionalJson<Nothing>,
) -> Result<Body<ChangedDealBody>, Problem> {
    let paused = shop.deals.pause(product_id).await?;
    let message = match paused.was_so {
        true => "the hot deal is paused already: nothing was changed",
        false => "the hot deal is paused",
    };
    Ok(Body(ChangedDealBody::new(&paused.deal, message)))
}
