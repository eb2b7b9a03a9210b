//! `PATCH /products/{product_id}`: changes the fields that are given.

use axum::{Json as Body, extract::State};
use domain::ProductId;
use serde::Deserialize;
use service_kit::{
    extract::{Json, Path},
    problem::Problem,
};

use super::{
    Shop,
    body::{ProductBody, ServerSet, given},
};
use crate::catalog::ProductChange;

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    #[serde(default, deserialize_with = "given")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    description: Option<String>,
    #[serde(default, deserialize_with = "given")]
    category: Option<String>,
    #[serde(default, deserialize_with = "given")]
    price: Option<i64>,
    #[serde(default, rename = "id")]
    _id: ServerSet,
    // Stock moves by `PATCH …/stock`, which says by how much and not to what.
    #[serde(default, rename = "stock")]
    _stock: ServerSet,
    #[serde(default, rename = "deal")]
    _deal: ServerSet,
    #[serde(default, rename = "created_at")]
    _created_at: ServerSet,
    #[serde(default, rename = "updated_at")]
    _updated_at: ServerSet,
}

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
