//! `PATCH /products/{product_id}/stock`: adds units to the shelf or writes some off.

use axum::{Json as Body, extract::State};
use domain::{ErrorCode, ProductId};
use serde::Deserialize;
use service_kit::{
    extract::{Json, Path},
    openapi::Refusals,
    problem::{FieldError, Problem},
    refusals,
};
use utoipa::ToSchema;

use super::{Shop, body::ServerSet, get_stock::StockBody, refuse};
use crate::catalog::check::UNITS_MAX;

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = StockChange)]
pub(super) struct Request {
    /// Units to add, or, negative, to write off; not 0.
    #[schema(minimum = -1_000_000_000, maximum = 1_000_000_000)]
    delta: i64,
    // How much there is follows from the delta.
    #[serde(default, rename = "stock")]
    #[schema(ignore)]
    _stock: ServerSet,
    #[serde(default, rename = "product_id")]
    #[schema(ignore)]
    _product_id: ServerSet,
    #[serde(default, rename = "shelf")]
    #[schema(ignore)]
    _shelf: ServerSet,
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::OutOfStock,
            ErrorCode::ProductNotFound
        ]))
);

/// Adds units to the shelf or writes some off.
#[utoipa::path(
    patch,
    path = "/products/{product_id}/stock",
    operation_id = "moveStock",
    tag = "stock",
    params(("product_id" = ProductId, Path)),
    request_body(content = Request),
    security(("bearer" = [])),
    responses((status = 200, description = "The stock.", body = StockBody), Refused),
)]
pub(super) async fn adjust(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
    Json(request): Json<Request>,
) -> Result<Body<StockBody>, Problem> {
    let delta = check(request.delta)?;
    shop.stock.adjust_shelf(product_id, delta).await?;
    Ok(Body(shop.catalog.get(product_id).await?.into()))
}

/// Units to add, or, negative, to write off.
pub(super) fn check(delta: i64) -> Result<i64, Problem> {
    if delta != 0 && (-UNITS_MAX..=UNITS_MAX).contains(&delta) {
        return Ok(delta);
    }
    let message = format!("must be a whole number from -{UNITS_MAX} to {UNITS_MAX}, and not 0");
    Err(refuse::invalid(vec![FieldError::new("delta", message)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_correction_that_moves_a_sane_number_of_units_is_taken() {
        for delta in [1, -1, UNITS_MAX, -UNITS_MAX] {
            assert_eq!(check(delta).unwrap(), delta);
        }
        for delta in [0, UNITS_MAX + 1, -UNITS_MAX - 1, i64::MIN, i64::MAX] {
            assert_eq!(check(delta).unwrap_err().status, 422, "{delta}");
        }
    }
}
