//! `POST /products/{product_id}/hotdeal/resume`: a paused deal sells again.

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

/// The deal sells again.
#[utoipa::path(
    post,
    path = "/products/{product_id}/hotdeal/resume",
    operation_id = "resumeHotDeal",
    tag = "deals",
    params(("product_id" = ProductId, Path)),
    request_body(content = Option<Object>, description = "Nothing need be said."),
    security(("bearer" = [])),
    responses((status = 200, description = "The deal after it.", body = ChangedDealBody), NeedsOpenDeal),
)]
pub(super) async fn resume(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
    OptionalJson(_): OptionalJson<Nothing>,
) -> Result<Body<ChangedDealBody>, Problem> {
    let resumed = shop.deals.resume(product_id).await?;
    let message = match resumed.was_so {
        true => "the hot deal runs already: nothing was changed",
        false => "the hot deal sells again",
    };
    Ok(Body(ChangedDealBody::new(&resumed.deal, message)))
}
