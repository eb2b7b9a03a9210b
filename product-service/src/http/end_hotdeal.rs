//! `POST /products/{product_id}/hotdeal/end`: closes the deal; what is left goes back to the shelf.

use axum::{Json as Body, extract::State};
use domain::{DealId, ProductId};
use serde::Serialize;
use service_kit::{
    extract::{OptionalJson, Path},
    problem::Problem,
};
use utoipa::ToSchema;

use super::{Shop, body::Nothing, refuse::NeedsOpenDeal};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EndedHotDeal)]
pub(super) struct EndedBody {
    product_id: ProductId,
    deal_id: DealId,
    /// Units the shelf has now.
    stock: i64,
    /// Units of the deal that are sold.
    sold: i64,
    /// Units of the deal in open holds, which outlive it.
    held: i64,
    message: &'static str,
}

/// Closes the deal; what is left goes back to the shelf, open holds outlive it.
#[utoipa::path(
    post,
    path = "/products/{product_id}/hotdeal/end",
    operation_id = "endHotDeal",
    tag = "deals",
    params(("product_id" = ProductId, Path)),
    request_body(content = Option<Object>, description = "Nothing need be said."),
    security(("bearer" = [])),
    responses((status = 200, description = "It has ended.", body = EndedBody), NeedsOpenDeal),
)]
pub(super) async fn end(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
    OptionalJson(_): OptionalJson<Nothing>,
) -> Result<Body<EndedBody>, Problem> {
    let ended = shop.deals.end(product_id).await?;
    Ok(Body(EndedBody {
        product_id,
        deal_id: ended.deal.id,
        stock: ended.shelf_available,
        sold: ended.deal.sums.sold,
        held: ended.deal.sums.held,
        message: if ended.was_ended {
            "the hot deal had ended already: nothing was changed"
        } else {
            "the hot deal has ended"
        },
    }))
}
