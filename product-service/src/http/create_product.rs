//! `POST /products`: adds a product and its shelf.

use axum::{
    Json as Body, extract::State, http::StatusCode, http::header::LOCATION, response::IntoResponse,
};
use serde::Deserialize;
use service_kit::{extract::Json, problem::Problem};

use super::{
    Shop,
    body::{ProductBody, ServerSet},
};
use crate::catalog::NewProduct;

#[derive(Debug, Deserialize)]
pub(super) struct Request {
    name: String,
    #[serde(default)]
    description: Option<String>,
    price: i64,
    #[serde(default)]
    category: Option<String>,
    stock: i64,
    #[serde(default, rename = "id")]
    _id: ServerSet,
    #[serde(default, rename = "deal_id")]
    _deal_id: ServerSet,
    #[serde(default, rename = "deal")]
    _deal: ServerSet,
    #[serde(default, rename = "created_at")]
    _created_at: ServerSet,
    #[serde(default, rename = "updated_at")]
    _updated_at: ServerSet,
}

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
