//! `PATCH /products/{product_id}`: changes the fields that are given.

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
    Shop,
    body::{ProductBody, ServerSet, given},
};
use crate::catalog::ProductChange;

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ProductChange)]
pub(super) struct Request {
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 200)]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, max_length = 10_000)]
    description: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = String, required = false, max_length = 100)]
    category: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    price: Option<i64>,
    #[serde(default, rename = "id")]
    #[schema(ignore)]
    _id: ServerSet,
    // Stock moves by `PATCH …/stock`, which says by how much and not to what.
    #[serde(default, rename = "stock")]
    #[schema(ignore)]
    _stock: ServerSet,
    #[serde(default, rename = "deal")]
    #[schema(ignore)]
    _deal: ServerSet,
    #[serde(default, rename = "created_at")]
    #[schema(ignore)]
    _created_at: ServerSet,
    #[serde(default, rename = "updated_at")]
    #[schema(ignore)]
    _updated_at: ServerSet,
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[ErrorCode::NotFound]))
);

/// Changes the fields that are given.
#[utoipa::path(
    patch,
    path = "/products/{product_id}",
    operation_id = "changeProduct",
    tag = "products",
    params(("product_id" = ProductId, Path)),
    request_body(content = Request),
    security(("bearer" = [])),
    responses((status = 200, description = "The product.", body = ProductBody), Refused),
)]
pub(super) async fn update(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
    Json(request): Json<Request>,
) -> Result<Body<ProductBody>, Problem> {
    let product = shop.catalog.update(product_id, request.into()).await?;
    Ok(Body(product.into()))
}

impl From<Request> for ProductChange {
    fn from(request: Request) -> Self {
        Self {
            name: request.name,
            description: request.description,
            category: request.category,
            price: request.price,
        }
    }
}
