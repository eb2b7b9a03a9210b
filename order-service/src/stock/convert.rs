//! Between the wire and this service's terms. A status says no, "not now", or nothing at all: only the
//! first two are answers.

use std::time::Duration;

use domain::{
    ErrorCode, Money, OrderId, Quantity, Timestamp,
    error_code::{PRODUCT_ID, SOLD_OUT_MS},
};
use product_api as wire;
use service_kit::problem::FieldError;
use tonic::{Code, Status};
use tonic_types::{ErrorInfo, StatusExt as _};

use super::{Ending, Held, NothingLeft, Outcome, Refusal, StockError};
use crate::order::{Line, Reason, RequestedLine, id};

/// When to come back if product-service does not say.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What a status means for the call that it ended.
pub fn error(status: &Status) -> StockError {
    let details = status.get_error_details();
    let reason: Option<ErrorCode> = details
        .error_info()
        .and_then(|info| info.reason.parse().ok());
    let retry_after = || {
        let hint = details.retry_info().and_then(|info| info.retry_delay);
        hint.unwrap_or(RETRY_AFTER)
    };
    match (status.code(), reason) {
        (_, Some(code @ (ErrorCode::RateLimited | ErrorCode::Overloaded))) => StockError::Busy {
            code,
            retry_after: retry_after(),
        },
        (Code::ResourceExhausted, _) => StockError::Busy {
            code: ErrorCode::Overloaded,
            retry_after: retry_after(),
        },
        (code, reason) if is_refusal(code) => match reason.or_else(|| plain_reason(code)) {
            Some(code) => StockError::Refused(Refusal {
                code,
                message: status.message().to_owned(),
                fields: fields(&details),
                nothing_left: details.error_info().and_then(nothing_left),
            }),
            None => StockError::Broken(status.message().to_owned()),
        },
        (Code::Unauthenticated | Code::PermissionDenied | Code::Unimplemented, _) => {
            StockError::Broken(format!("{:?}: {}", status.code(), status.message()))
        }
        // Everything else, a broken connection included, leaves open whether it happened.
        (code, _) => StockError::Unclear(format!("{code:?}: {}", status.message())),
    }
}

fn is_refusal(code: Code) -> bool {
    matches!(
        code,
        Code::FailedPrecondition | Code::AlreadyExists | Code::InvalidArgument | Code::NotFound
    )
}

/// The reason that a code has when no details came with it.
fn plain_reason(code: Code) -> Option<ErrorCode> {
    match code {
        Code::AlreadyExists => Some(ErrorCode::OrderIdReused),
        Code::InvalidArgument => Some(ErrorCode::Invalid),
        Code::NotFound => Some(ErrorCode::NotFound),
        _ => None,
    }
}

fn fields(details: &tonic_types::ErrorDetails) -> Vec<FieldError> {
    let violations = details.bad_request().map(|bad| &bad.field_violations[..]);
    violations
        .unwrap_or_default()
        .iter()
        .map(|violation| FieldError::new(&violation.field, &violation.description))
        .collect()
}

/// Absent where merely too little is left.
fn nothing_left(info: &ErrorInfo) -> Option<NothingLeft> {
    let millis = info.metadata.get(SOLD_OUT_MS)?.parse().ok()?;
    Some(NothingLeft {
        of: info.metadata.get(PRODUCT_ID)?.parse().ok()?,
        believed_for: Duration::from_millis(millis),
    })
}

/// A line as it is asked for.
pub fn item(line: &RequestedLine) -> wire::StockItem {
    wire::StockItem {
        product_id: line.product_id.to_string(),
        quantity: line.quantity.units(),
        deal_id: line.deal_id.map(|deal| deal.to_string()),
    }
}

/// How long to hold.
pub fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}

/// The stock that is held for `order_id`.
///
/// # Errors
/// [`StockError::Broken`] if a value is out of its range; [`StockError::Refused`] if a price times its
/// quantity is more than an amount can be.
pub fn held(order_id: OrderId, answer: wire::DecreaseStockResponse) -> Result<Held, StockError> {
    let lines = answer.items.into_iter().map(|item| line(order_id, item));
    let lines: Vec<Line> = lines.collect::<Result<_, _>>()?;
    let expires_at = answer.expires_at.as_ref().map(timestamp);
    match expires_at {
        Some(expires_at) if !lines.is_empty() => Ok(Held { lines, expires_at }),
        _ => Err(broken("expires_at or items")),
    }
}

fn line(order_id: OrderId, item: wire::HeldItem) -> Result<Line, StockError> {
    let product_id = item.product_id.parse().map_err(|_| broken("product_id"))?;
    let quantity = Quantity::try_from(item.quantity).map_err(|_| broken("quantity"))?;
    let unit_price = Money::try_from(item.unit_price).map_err(|_| broken("unit_price"))?;
    let deal_id = item.deal_id.map(|text| text.parse()).transpose();
    Ok(Line {
        id: id::line(order_id, product_id),
        product_id,
        product_name: item.product_name,
        quantity,
        unit_price,
        subtotal: unit_price
            .checked_mul(quantity)
            .map_err(|_| amount_too_large())?,
        deal_id: deal_id.map_err(|_| broken("deal_id"))?,
    })
}

/// How a hold ended.
///
/// # Errors
/// [`StockError::Broken`] if the answer names no outcome.
pub fn ending(answer: &wire::HoldEnded) -> Result<Ending, StockError> {
    let outcome = match answer.outcome() {
        wire::hold_ended::Outcome::Sold => Outcome::Sold,
        // A reason that is none must not keep the order from following its hold.
        wire::hold_ended::Outcome::Released | wire::hold_ended::Outcome::Returned => {
            Outcome::Released(answer.reason.parse().unwrap_or(Reason::EXPIRED))
        }
        wire::hold_ended::Outcome::Unspecified => return Err(broken("outcome")),
    };
    Ok(Ending {
        outcome,
        at: answer.ended_at.as_ref().map(timestamp),
    })
}

/// An order whose sum no amount can hold.
pub fn amount_too_large() -> StockError {
    let message = "the order's amount is above 9007199254740991 minor units".to_owned();
    StockError::Refused(Refusal {
        code: ErrorCode::Invalid,
        fields: vec![FieldError::new("items", message.clone())],
        message,
        nothing_left: None,
    })
}

fn timestamp(wire: &prost_types::Timestamp) -> Timestamp {
    let micros = wire.seconds.saturating_mul(1_000_000);
    Timestamp::from_micros(micros.saturating_add(i64::from(wire.nanos / 1_000)))
}

fn broken(field: &str) -> StockError {
    StockError::Broken(format!("{field} is missing or out of range"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use domain::ProductId;
    use tonic_types::ErrorDetails;
    use uuid::Uuid;

    use super::*;

    fn status(code: Code, reason: &str) -> Status {
        let mut details = ErrorDetails::with_error_info(reason, "hotdeal", HashMap::new());
        details.add_bad_request_violation("items[0].product_id", "unknown");
        details.set_retry_info(Some(Duration::from_millis(250)));
        Status::with_error_details(code, "words", details)
    }

    #[test]
    fn a_refusal_carries_its_reason_and_its_fields() {
        let StockError::Refused(refusal) = error(&status(Code::FailedPrecondition, "OUT_OF_STOCK"))
        else {
            panic!("no refusal");
        };
        assert_eq!(refusal.code, ErrorCode::OutOfStock);
        let field = FieldError::new("items[0].product_id", "unknown");
        assert_eq!(refusal.fields, [field]);
    }

    #[test]
    fn nothing_left_is_told_from_too_little_and_what_cannot_be_read_is_not_believed() {
        let product_id = Uuid::from_u128(7).to_string();
        let read = |metadata: &[(&str, &str)]| {
            let about = metadata
                .iter()
                .map(|&(key, value)| (key.to_owned(), value.to_owned()));
            let about: HashMap<String, String> = about.collect();
            let details = ErrorDetails::with_error_info("OUT_OF_STOCK", "hotdeal", about);
            let status = Status::with_error_details(Code::FailedPrecondition, "words", details);
            match error(&status) {
                StockError::Refused(refusal) => refusal.nothing_left,
                other => panic!("{other:?}"),
            }
        };
        let product = ("product_id", product_id.as_str());
        let nothing_left = NothingLeft {
            of: ProductId(Uuid::from_u128(7)),
            believed_for: Duration::from_millis(42),
        };
        assert_eq!(read(&[product, ("sold_out_ms", "42")]), Some(nothing_left));
        for metadata in [
            &[product][..],
            &[("sold_out_ms", "42")],
            &[product, ("sold_out_ms", "-1")],
            &[("product_id", "x"), ("sold_out_ms", "42")],
        ] {
            assert_eq!(read(metadata), None, "{metadata:?}");
        }
    }

    #[test]
    fn a_full_service_says_when_to_come_back() {
        for (code, reason, expected) in [
            (Code::Unavailable, "OVERLOADED", ErrorCode::Overloaded),
            (
                Code::ResourceExhausted,
                "RATE_LIMITED",
                ErrorCode::RateLimited,
            ),
        ] {
            let busy = StockError::Busy {
                code: expected,
                retry_after: Duration::from_millis(250),
            };
            assert_eq!(error(&status(code, reason)), busy);
        }
    }

    #[test]
    fn what_is_no_answer_is_unclear() {
        for code in [
            Code::Unavailable,
            Code::DeadlineExceeded,
            Code::Unknown,
            Code::Internal,
            Code::Cancelled,
            Code::Aborted,
        ] {
            let error = error(&Status::new(code, ""));
            assert!(matches!(error, StockError::Unclear(_)), "{code:?}");
        }
        let unclear = error(&status(Code::Unavailable, "UNAVAILABLE"));
        assert!(matches!(unclear, StockError::Unclear(_)));
    }

    #[test]
    fn a_wrong_token_is_no_refusal_of_the_buyer() {
        let error = error(&Status::unauthenticated("token"));
        assert!(matches!(error, StockError::Broken(_)));
    }

    fn answer(quantity: i64, unit_price: i64) -> wire::DecreaseStockResponse {
        wire::DecreaseStockResponse {
            items: vec![wire::HeldItem {
                product_id: Uuid::nil().to_string(),
                product_name: "tea".into(),
                quantity,
                unit_price,
                deal_id: None,
                remaining: None,
            }],
            expires_at: Some(prost_types::Timestamp {
                seconds: 5,
                nanos: 7_000,
            }),
            replayed: false,
        }
    }

    #[test]
    fn a_held_line_costs_price_times_quantity() {
        let held = held(OrderId(Uuid::nil()), answer(3, 500)).unwrap();
        assert_eq!(held.lines[0].subtotal.minor(), 1_500);
        assert_eq!(held.expires_at.as_micros(), 5_000_007);
    }

    #[test]
    fn price_times_quantity_that_overflows_names_the_items() {
        let error = held(OrderId(Uuid::nil()), answer(2, Money::MAX_MINOR)).unwrap_err();
        assert_eq!(error, amount_too_large());
    }

    #[test]
    fn answers_out_of_range_are_not_worked_with() {
        for (quantity, price) in [(0, 1), (-1, 1), (1, -1), (1, i64::MAX)] {
            let result = held(OrderId(Uuid::nil()), answer(quantity, price));
            assert!(matches!(result, Err(StockError::Broken(_))));
        }
        let none = wire::HoldEnded::default();
        assert!(matches!(ending(&none), Err(StockError::Broken(_))));
    }
}
