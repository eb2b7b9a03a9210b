//! `POST /products/deals`: plans a deal that opens and ends by itself.

use axum::{
    Json as Body, extract::State, http::StatusCode, http::header::LOCATION, response::IntoResponse,
};
use domain::{ErrorCode, Money, ProductId, Timestamp};
use serde::Deserialize;
use service_kit::{
    extract::Json,
    openapi::Refusals,
    problem::{FieldError, Problem},
    refusals,
};
use utoipa::ToSchema;

use super::{
    Shop,
    body::{DealBody, ServerSet},
    refuse,
};
use crate::{
    catalog::check::UNITS_MAX, deals::PlanDeal, ledger::command::Refusal, stock::StockError,
};

#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = DealPlan)]
pub(super) struct Request {
    product_id: ProductId,
    /// In the currency's minor unit.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    deal_price: i64,
    /// Units to move from the shelf when it opens.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    deal_stock: i64,
    starts_at: Timestamp,
    /// After `starts_at`.
    ends_at: Timestamp,
    #[serde(default)]
    /// Units that one buyer may have; no limit by default.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    per_user_limit: Option<i64>,
    #[serde(default, rename = "deal_id")]
    #[schema(ignore)]
    _deal_id: ServerSet,
    #[serde(default, rename = "status")]
    #[schema(ignore)]
    _status: ServerSet,
    #[serde(default, rename = "unit_price")]
    #[schema(ignore)]
    _unit_price: ServerSet,
    #[serde(default, rename = "planned")]
    #[schema(ignore)]
    _planned: ServerSet,
    #[serde(default, rename = "ended_at")]
    #[schema(ignore)]
    _ended_at: ServerSet,
}

refusals!(
    Refused = Refusals::new()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[ErrorCode::ProductNotFound]))
);

/// Plans a deal that opens and ends by itself.
#[utoipa::path(
    post,
    path = "/products/deals",
    operation_id = "planDeal",
    tag = "deals",
    request_body(content = Request),
    security(("bearer" = [])),
    responses((status = 201, description = "The deal.", body = DealBody, headers(("Location" = String, description = "Path of the deal."))), Refused),
)]
pub(super) async fn schedule(
    State(shop): State<Shop>,
    Json(request): Json<Request>,
) -> Result<impl IntoResponse, Problem> {
    let plan = check(&request)?;
    let deal = match shop.deals.schedule(plan).await {
        Err(StockError::Refused(Refusal::ProductNotFound(id))) => return Err(unknown_product(id)),
        planned => planned?,
    };
    let location = format!("/products/deals/{}", deal.id);
    Ok((
        StatusCode::CREATED,
        [(LOCATION, location)],
        Body(DealBody::from(deal)),
    ))
}

fn unknown_product(id: ProductId) -> Problem {
    let mut problem = Problem::from(StockError::Refused(Refusal::ProductNotFound(id)));
    let field = FieldError::new("product_id", "there is no such product");
    problem.fields.push(field);
    problem
}

fn check(request: &Request) -> Result<PlanDeal, Problem> {
    let mut wrong = Vec::new();
    for (field, units) in [
        ("deal_stock", Some(request.deal_stock)),
        ("per_user_limit", request.per_user_limit),
    ] {
        if units.is_some_and(|units| !(1..=UNITS_MAX).contains(&units)) {
            let message = format!("must be a whole number from 1 to {UNITS_MAX}");
            wrong.push(FieldError::new(field, message));
        }
    }
    if request.ends_at <= request.starts_at {
        wrong.push(FieldError::new("ends_at", "must be after starts_at"));
    }
    let unit_price = match Money::try_from(request.deal_price) {
        Ok(unit_price) if wrong.is_empty() => unit_price,
        Ok(_) => return Err(refuse::invalid(wrong)),
        Err(invalid) => {
            wrong.push(FieldError::new("deal_price", invalid.to_string()));
            return Err(refuse::invalid(wrong));
        }
    };
    Ok(PlanDeal {
        product_id: request.product_id,
        units: request.deal_stock,
        unit_price,
        per_user_limit: request.per_user_limit,
        starts_at: request.starts_at,
        ends_at: request.ends_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let wrong = serde_json::json!({
            "product_id": "0192f0c1-7b5e-7000-8000-000000000001",
            "deal_price": -1, "deal_stock": 0, "per_user_limit": 0,
            "starts_at": "2030-01-01T12:00:00Z", "ends_at": "2030-01-01T12:00:00Z",
        });
        let problem = check(&serde_json::from_value(wrong).unwrap()).unwrap_err();
        let fields: Vec<&str> = problem.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(
            fields,
            ["deal_stock", "per_user_limit", "ends_at", "deal_price"]
        );
    }
}
