//! `GET /products/{product_id}/stock`: what is on offer, and where the shelf's units are.

use axum::{Json as Body, extract::State};
use domain::{DealId, ErrorCode, ProductId};
use serde::Serialize;
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals};
use utoipa::ToSchema;

use super::{Shop, body::SumsBody};
use crate::catalog::Product;

/// `stock` is the deal's while one runs or is paused, else the shelf's.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Stock)]
pub(super) struct StockBody {
    product_id: ProductId,
    stock: i64,
    shelf: SumsBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    deal_id: Option<DealId>,
}

impl From<Product> for StockBody {
    fn from(product: Product) -> Self {
        Self {
            product_id: product.id,
            stock: product.stock(),
            shelf: product.shelf.into(),
            deal_id: product.deal.map(|deal| deal.id),
        }
    }
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .also(ErrorCode::documented(&[ErrorCode::NotFound]))
);

/// What is on offer, and where the shelf's units are.
#[utoipa::path(
    get,
    path = "/products/{product_id}/stock",
    operation_id = "getStock",
    tag = "stock",
    params(("product_id" = ProductId, Path)),
    responses((status = 200, description = "The stock.", body = StockBody), Refused),
)]
pub(super) async fn get(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
) -> Result<Body<StockBody>, Problem> {
    Ok(Body(shop.catalog.get(product_id).await?.into()))
}
