//! `POST /products/{product_id}/hotdeal/start`: moves units of the shelf into a deal that runs at once.

use axum::{Json as Body, extract::State};
use domain::{DealId, ErrorCode, Money, ProductId, Timestamp};
use serde::{Deserialize, Serialize};
use service_kit::{
    extract::{OptionalJson, Path},
    openapi::Refusals,
    problem::{FieldError, Problem},
    refusals,
};
use utoipa::ToSchema;

use super::{Shop, body::ServerSet, refuse};
use crate::{catalog::check::UNITS_MAX, deals::StartDeal};

/// All units at the product's price, for everybody and without end, unless said otherwise.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = HotDealStart)]
pub(super) struct Request {
    /// Units to move from the shelf; all by default.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: Option<i64>,
    /// In the currency's minor unit; the product's by default.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    deal_price: Option<i64>,
    /// Units that one buyer may have; no limit by default.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    per_user_limit: Option<i64>,
    /// When it ends by itself; never by default.
    ends_at: Option<Timestamp>,
    #[serde(rename = "deal_id")]
    #[schema(ignore)]
    _deal_id: ServerSet,
    #[serde(rename = "product_id")]
    #[schema(ignore)]
    _product_id: ServerSet,
    #[serde(rename = "stock")]
    #[schema(ignore)]
    _stock: ServerSet,
    #[serde(rename = "status")]
    #[schema(ignore)]
    _status: ServerSet,
    #[serde(rename = "unit_price")]
    #[schema(ignore)]
    _unit_price: ServerSet,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StartedHotDeal)]
pub(super) struct StartedBody {
    product_id: ProductId,
    deal_id: DealId,
    /// Units that can be taken now.
    stock: i64,
    message: &'static str,
}

refusals!(
    Refused = Refusals::new()
        .parameters()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::OutOfStock,
            ErrorCode::DealNotOpen,
            ErrorCode::IllegalTransition
        ]))
);

/// Moves units of the shelf into a deal that runs at once. Starting one that runs changes nothing.
#[utoipa::path(
    post,
    path = "/products/{product_id}/hotdeal/start",
    operation_id = "startHotDeal",
    tag = "deals",
    params(("product_id" = ProductId, Path)),
    request_body(content = Option<Request>),
    security(("bearer" = [])),
    responses((status = 200, description = "It runs.", body = StartedBody), Refused),
)]
pub(super) async fn start(
    State(shop): State<Shop>,
    Path(product_id): Path<ProductId>,
    OptionalJson(request): OptionalJson<Request>,
) -> Result<Body<StartedBody>, Problem> {
    let started = shop.deals.start(check(product_id, request)?).await?;
    Ok(Body(StartedBody {
        product_id,
        deal_id: started.deal.id,
        stock: started.deal.sums.available,
        message: if started.was_running {
            "the hot deal runs already: nothing was changed"
        } else {
            "the hot deal has started"
        },
    }))
}

fn check(product_id: ProductId, request: Request) -> Result<StartDeal, Problem> {
    let mut wrong = Vec::new();
    let mut complain = |field: &str, message: String| {
        wrong.push(FieldError::new(field, message));
    };
    for (field, units) in [
        ("quantity", request.quantity),
        ("per_user_limit", request.per_user_limit),
    ] {
        if units.is_some_and(|units| !(1..=UNITS_MAX).contains(&units)) {
            complain(
                field,
                format!("must be a whole number from 1 to {UNITS_MAX}"),
            );
        }
    }
    let unit_price = request.deal_price.map(Money::try_from).transpose();
    let unit_price = unit_price.unwrap_or_else(|invalid| {
        complain("deal_price", invalid.to_string());
        None
    });
    if !wrong.is_empty() {
        return Err(refuse::invalid(wrong));
    }
    Ok(StartDeal {
        product_id,
        units: request.quantity,
        unit_price,
        per_user_limit: request.per_user_limit,
        ends_at: request.ends_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product_id() -> ProductId {
        "0192f0c1-7b5e-7000-8000-000000000001".parse().unwrap()
    }

    #[test]
    fn all_wrong_fields_are_named_at_once() {
        let wrong = Request {
            quantity: Some(0),
            deal_price: Some(-1),
            per_user_limit: Some(i64::MAX),
            ..Request::default()
        };
        let problem = check(product_id(), wrong).unwrap_err();
        let fields: Vec<&str> = problem.fields.iter().map(|f| f.field.as_str()).collect();
        assert_eq!(fields, ["quantity", "per_user_limit", "deal_price"]);
    }

    #[test]
    fn nothing_needs_to_be_said() {
        let start = check(product_id(), Request::default()).unwrap();
        assert_eq!((start.units, start.unit_price), (None, None));
    }
}
