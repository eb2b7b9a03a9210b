//! `GET /products/{product_id}`.

use axum::{Json as Body, extract::State};
use domain::ProductId;
use service_kit::{extract::Path, problem::Problem};

use super::{Shop, body::ProductBody};

pub(super) async fn get(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
) -> Result<Body<ProductBody>, Problem> {
    Ok(Body(shop.catalog.get(product_id).await?.into()))
}
