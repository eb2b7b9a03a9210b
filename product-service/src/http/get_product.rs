//! `GET /products/{product_id}`.

use axum::{Json as Body, extract::State};
use domain::{ErrorCode, ProductId};
use service_kit::{extract::Path, openapi::Refusals, problem::Problem, refusals};

use super::{Shop, body::ProductBody};

refusals!(
    Refused = Refusals::new()
        .parameters()
        .also(ErrorCode::documented(&[ErrorCode::NotFound]))
);

/// One product, at the price that counts now.
#[utoipa::path(
    get,
    path = "/products/{product_id}",
    operation_id = "getProduct",
    tag = "products",
    params(("product_id" = ProductId, Path)),
    responses((status = 200, description = "The product.", body = ProductBody), Refused),
)]
pub(super) async fn get(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
) -> Result<Body<ProductBody>, Problem> {
    Ok(Body(shop.catalog.get(product_id).await?.into()))
}
