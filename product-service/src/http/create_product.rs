//! `POST /products`: adds a product and its shelf.

use axum::{
    Json as Body, extract::State, http::StatusCode, http::header::LOCATION, response::IntoResponse,
};
use serde::Deserialize;
use service_kit::{extract::Json, openapi::Refusals, problem::Problem, refusals};
use utoipa::ToSchema;

use super::{
    Shop,
    body::{ProductBody, ServerSet},
};
use crate::catalog::NewProduct;

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewProduct)]
pub(super) struct Request {
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[serde(default)]
    #[schema(max_length = 10_000)]
    description: Option<String>,
    /// In the currency's minor unit.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    price: i64,
    #[serde(default)]
    #[schema(max_length = 100)]
    category: Option<String>,
    /// Units on the shelf.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    stock: i64,
    #[serde(default, rename = "id")]
    #[schema(ignore)]
    _id: ServerSet,
    #[serde(default, rename = "deal_id")]
    #[schema(ignore)]
    _deal_id: ServerSet,
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

refusals!(Refused = Refusals::new().body().unauthorized());

/// Adds a product and its shelf.
#[utoipa::path(
    post,
    path = "/products",
    operation_id = "addProduct",
    tag = "products",
    request_body(content = Request),
    security(("bearer" = [])),
    responses((status = 201, description = "The product.", body = ProductBody, headers(("Location" = String, description = "Path of the product."))), Refused),
)]
pub(super) async fn create(
    State(shop): State<Shop>,
    Json(request): Json<Request>,
) -> Result<impl IntoResponse, Problem> {
    let product = shop.catalog.create(request.into()).await?;
    let location = format!("/products/{}", product.id);
    Ok((
        StatusCode::CREATED,
        [(LOCATION, location)],
        Body(ProductBody::from(product)),
    ))
}

impl From<Request> for NewProduct {
    fn from(request: Request) -> Self {
        Self {
            name: request.name,
            description: request.description.unwrap_or_default(),
            category: request.category.unwrap_or_default(),
            price: request.price,
            stock: request.stock,
        }
    }
}
