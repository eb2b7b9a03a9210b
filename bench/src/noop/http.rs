//! `POST /orders` that does what must be done before stock is asked for, and answers a constant refusal:
//! through the server of order-service it decodes the body, checks every field of it, knows the buyer, and
//! looks for a key.

use std::{ffi::OsString, io, process::ExitCode};

use axum::{
    Router,
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
    routing::post,
};
use domain::{DealId, ErrorCode, ProductId, Quantity, UserId};
use serde_json::{Map, Value};
use service_kit::{
    extract::Json,
    health::Health,
    ops,
    problem::{FieldError, Problem},
    run::{program, together},
    server::{HttpLimits, bind, serve_http},
    telemetry::Telemetry,
};
use tokio_util::sync::CancellationToken;

use super::Config;

/// Fields that a buyer must not set, as order-service has them.
const SERVER_SETS: [&str; 14] = [
    "id",
    "user_id",
    "status",
    "reason",
    "flow",
    "unit_price",
    "total_amount",
    "expires_at",
    "created_at",
    "updated_at",
    "confirmed_at",
    "cancel_requested_at",
    "cancelled_at",
    "cancel_reason",
];
const SERVER_SETS_IN_ITEMS: [&str; 5] = ["id", "status", "unit_price", "subtotal", "product_name"];
const LINES_MAX: usize = 100;

/// The program, with its arguments; the first is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let about = "An HTTP server that decodes POST /orders and answers that nothing is left";
    program("noop-http", about, args, serve)
}

async fn serve(config: Config, telemetry: Telemetry, stop: CancellationToken) -> io::Result<()> {
    let port = bind(config.noop_addr, "NOOP_ADDR").await;
    let ops_port = bind(config.noop_ops_addr, "NOOP_OPS_ADDR").await;
    let (port, ops_port) = (
        port.map_err(io::Error::other)?,
        ops_port.map_err(io::Error::other)?,
    );
    let limits = HttpLimits::from(&config.common);
    let ops = ops::router(Health::new(), &telemetry);
    together(
        serve_http(port, router(), limits.clone(), stop.clone()),
        serve_http(ops_port, ops, limits, stop.clone()),
        &stop,
    )
    .await
}

fn router() -> Router {
    Router::new().route("/orders", post(refuse))
}

/// The buyer of a request.
struct Buyer(UserId);

impl<S: Sync> FromRequestParts<S> for Buyer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let unknown = || Problem::new(401, ErrorCode::Unauthorized.as_str(), "who are you?");
        let mut values = parts.headers.get_all("x-user-id").iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(unknown());
        };
        let id = value.to_str().ok().and_then(|text| text.parse().ok());
        id.map(Self).ok_or_else(unknown)
    }
}

async fn refuse(Buyer(buyer): Buyer, headers: HeaderMap, Json(body): Json<Value>) -> Problem {
    let has_key = headers.contains_key("idempotency-key");
    match lines(&body) {
        Ok(lines) if !has_key && !buyer.0.is_nil() => {
            let code = ErrorCode::OutOfStock;
            let message = "재고가 부족합니다. Not enough stock.";
            let fields = lines.iter().enumerate().map(|(index, _)| {
                FieldError::new(format!("items[{index}].quantity"), "not enough stock")
            });
            Problem {
                fields: fields.collect(),
                ..Problem::new(code.http_status(), code.as_str(), message)
            }
        }
        Ok(_) => Problem::new(
            422,
            ErrorCode::Invalid.as_str(),
            "not part of the measurement",
        ),
        Err(field) => {
            let message = "some fields cannot be used";
            Problem::new(422, ErrorCode::Invalid.as_str(), message).field(field, "is wrong")
        }
    }
}

/// One line of an order.
struct Line {
    _product_id: ProductId,
    _quantity: Quantity,
    _deal_id: Option<DealId>,
}

/// The lines of an order, or the field that is wrong.
fn lines(body: &Value) -> Result<Vec<Line>, &'static str> {
    let body = body.as_object().ok_or("body")?;
    if sets_any(body, &SERVER_SETS) || body.contains_key("shipping_address") {
        return Err("body");
    }
    let items = body.get("items").and_then(Value::as_array).ok_or("items")?;
    if items.is_empty() || items.len() > LINES_MAX {
        return Err("items");
    }
    items.iter().map(line).collect()
}

fn line(item: &Value) -> Result<Line, &'static str> {
    let item = item.as_object().ok_or("items")?;
    if sets_any(item, &SERVER_SETS_IN_ITEMS) {
        return Err("items");
    }
    let id = |name: &str| item.get(name).and_then(Value::as_str);
    let deal_id = match id("deal_id") {
        Some(text) => Some(text.parse().map_err(|_| "deal_id")?),
        None => None,
    };
    let quantity = item
        .get("quantity")
        .and_then(Value::as_i64)
        .ok_or("quantity")?;
    Ok(Line {
        _product_id: id("product_id")
            .and_then(|text| text.parse().ok())
            .ok_or("product_id")?,
        _quantity: Quantity::try_from(quantity).map_err(|_| "quantity")?,
        _deal_id: deal_id,
    })
}

fn sets_any(object: &Map<String, Value>, names: &[&str]) -> bool {
    names.iter().any(|name| object.contains_key(*name))
}
