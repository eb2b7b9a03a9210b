//! Messages to values: every violation is named, all at once.

use std::{str::FromStr, time::Duration};

use domain::{OrderId, ProductId, Quantity, Timestamp, UserId};
use product_api::{DecreaseStockRequest, StockItem};
use service_kit::problem::FieldError;
use tonic::Status;

use super::errors;
use crate::{
    ledger::hold::HOLD_TTL_MAX,
    stock::{Decrease, WantedLine},
};

/// The most lines of one order.
const LINES_MAX: usize = 100;

/// The longest reason of a release, in characters.
const REASON_LEN_MAX: usize = 64;

/// Collects violations, so that a caller need not come back once per field.
#[derive(Debug, Default)]
pub(super) struct Violations(Vec<FieldError>);

impl Violations {
    fn add(&mut self, field: impl Into<String>, message: impl ToString) {
        self.0.push(FieldError::new(field, message.to_string()));
    }

    fn parse<T>(&mut self, field: impl Into<String>, text: &str) -> Option<T>
    where
        T: FromStr<Err: ToString>,
    {
        text.parse()
            .map_err(|error: T::Err| self.add(field, error))
            .ok()
    }

    fn status(self) -> Status {
        errors::invalid(self.0)
    }
}

/// An id that is the whole request.
pub(super) fn id<T: FromStr<Err: ToString>>(field: &str, text: &str) -> Result<T, Status> {
    let mut wrong = Violations::default();
    wrong.parse(field, text).ok_or_else(|| wrong.status())
}

/// The request for a hold.
pub(super) fn decrease(request: DecreaseStockRequest) -> Result<Decrease, Status> {
    let mut wrong = Violations::default();
    let order_id = wrong.parse::<OrderId>("order_id", &request.order_id);
    let user_id = wrong.parse::<UserId>("user_id", &request.user_id);
    let lines = parse_lines(&mut wrong, &request.items);
    let hold_ttl = request.hold_ttl.map(|ttl| parse_hold_ttl(&mut wrong, ttl));
    match (order_id, user_id, lines, hold_ttl) {
        (Some(order_id), Some(user_id), Some(lines), None | Some(Some(_))) => Ok(Decrease {
            order_id,
            user_id,
            lines,
            hold_ttl: hold_ttl.flatten(),
            first_attempt: request.first_attempt,
        }),
        _ => Err(wrong.status()),
    }
}

/// 1 to 100 lines.
pub(super) fn lines(items: &[StockItem]) -> Result<Vec<WantedLine>, Status> {
    let mut wrong = Violations::default();
    parse_lines(&mut wrong, items).ok_or_else(|| wrong.status())
}

/// The request for a release.
pub(super) fn restore(order_id: &str, reason: &str) -> Result<OrderId, Status> {
    let mut wrong = Violations::default();
    let order_id = wrong.parse("order_id", order_id);
    let is_upper_snake = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_reason =
        (1..=REASON_LEN_MAX).contains(&reason.len()) && reason.chars().all(is_upper_snake);
    if !is_reason {
        let message = format!("must have 1 to {REASON_LEN_MAX} characters of A-Z, 0-9 and _");
        wrong.add("reason", message);
    }
    match order_id {
        Some(order_id) if is_reason => Ok(order_id),
        _ => Err(wrong.status()),
    }
}

/// An instant as protobuf writes it.
pub(super) fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    const MICROS_PER_SECOND: i64 = 1_000_000;
    let micros = at.as_micros();
    let nanos = micros.rem_euclid(MICROS_PER_SECOND) * 1_000;
    prost_types::Timestamp {
        seconds: micros.div_euclid(MICROS_PER_SECOND),
        // Below a thousand million.
        nanos: i32::try_from(nanos).unwrap_or(0),
    }
}

fn parse_lines(wrong: &mut Violations, items: &[StockItem]) -> Option<Vec<WantedLine>> {
    if items.is_empty() || items.len() > LINES_MAX {
        wrong.add("items", format!("must have 1 to {LINES_MAX} lines"));
        return None;
    }
    let lines: Vec<Option<WantedLine>> = items
        .iter()
        .enumerate()
        .map(|(index, item)| parse_line(wrong, index, item))
        .collect();
    lines.into_iter().collect()
}

fn parse_line(wrong: &mut Violations, index: usize, item: &StockItem) -> Option<WantedLine> {
    let field = |name: &str| format!("items[{index}].{name}");
    let product_id = wrong.parse::<ProductId>(field("product_id"), &item.product_id);
    let quantity = Quantity::try_from(item.quantity)
        .map_err(|error| wrong.add(field("quantity"), error))
        .ok();
    let deal_id = match &item.deal_id {
        None => None,
        Some(text) => Some(wrong.parse(field("deal_id"), text)?),
    };
    Some(WantedLine {
        product_id: product_id?,
        quantity: quantity?,
        deal_id,
    })
}

fn parse_hold_ttl(wrong: &mut Violations, ttl: prost_types::Duration) -> Option<Duration> {
    match duration(ttl) {
        Some(ttl) if !ttl.is_zero() && ttl <= HOLD_TTL_MAX => Some(ttl),
        _ => {
            wrong.add("hold_ttl", "must be longer than 0 and at most 24 h");
            None
        }
    }
}

/// By hand, since the library's conversion panics on the least number of seconds there is.
fn duration(duration: prost_types::Duration) -> Option<Duration> {
    const NANOS_MAX: u32 = 999_999_999;
    let seconds = u64::try_from(duration.seconds).ok()?;
    let nanos = u32::try_from(duration.nanos).ok()?;
    (nanos <= NANOS_MAX).then(|| Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    const ID: &str = "0192f0c1-7b5e-7000-8000-000000000001";

    fn item(quantity: i64) -> StockItem {
        StockItem {
            product_id: ID.into(),
            quantity,
            deal_id: None,
        }
    }

    fn request(items: Vec<StockItem>) -> DecreaseStockRequest {
        DecreaseStockRequest {
            order_id: ID.into(),
            user_id: ID.into(),
            items,
            hold_ttl: None,
            first_attempt: false,
        }
    }

    fn fields<T: std::fmt::Debug>(parsed: Result<T, Status>) -> Vec<String> {
        let request = parsed.unwrap_err().get_details_bad_request().unwrap();
        request
            .field_violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn all_violations_are_named_at_once() {
        let wrong = DecreaseStockRequest {
            order_id: "{x}".into(),
            user_id: "a\0".into(),
            items: vec![
                item(1),
                StockItem {
                    product_id: String::new(),
                    quantity: 0,
                    deal_id: Some("no".into()),
                },
            ],
            hold_ttl: Some(prost_types::Duration {
                seconds: -1,
                nanos: 0,
            }),
            first_attempt: false,
        };
        let named = fields(decrease(wrong));
        assert_eq!(
            named,
            [
                "order_id",
                "user_id",
                "items[1].product_id",
                "items[1].quantity",
                "items[1].deal_id",
                "hold_ttl"
            ]
        );
    }

    #[test]
    fn only_one_to_a_million_units_can_be_ordered() {
        for quantity in [0, -1, 1 << 31, i64::MAX, i64::MIN] {
            let named = fields(decrease(request(vec![item(quantity)])));
            assert_eq!(named, ["items[0].quantity"], "{quantity}");
        }
        assert!(decrease(request(vec![item(1_000_000)])).is_ok());
    }

    #[test]
    fn an_order_has_one_to_a_hundred_lines() {
        assert!(decrease(request(vec![item(1); 100])).is_ok());
        for count in [0, 101] {
            let named = fields(decrease(request(vec![item(1); count])));
            assert_eq!(named, ["items"], "{count}");
        }
    }

    #[test]
    fn a_hold_is_asked_for_at_most_a_day() {
        let ask = |seconds, nanos| {
            let mut request = request(vec![item(1)]);
            request.hold_ttl = Some(prost_types::Duration { seconds, nanos });
            decrease(request)
        };
        assert_eq!(ask(86_400, 0).unwrap().hold_ttl, Some(HOLD_TTL_MAX));
        for (seconds, nanos) in [
            (86_400, 1),
            (0, 0),
            (i64::MAX, 0),
            (-1, 0),
            (i64::MIN, i32::MIN),
            (i64::MIN, 0),
            (i64::MAX, i32::MAX),
            (1, 1_000_000_000),
            (1, -1),
        ] {
            assert_eq!(
                fields(ask(seconds, nanos)),
                ["hold_ttl"],
                "{seconds} {nanos}"
            );
        }
    }

    #[test]
    fn a_release_says_why() {
        assert!(restore(ID, "CANCELLED_BY_USER").is_ok());
        for reason in ["", "lower", "A B", "A\0", &"A".repeat(65)] {
            assert_eq!(fields(restore(ID, reason)), ["reason"], "{reason:?}");
        }
        assert_eq!(fields(restore("x", "")), ["order_id", "reason"]);
    }

    #[test]
    fn instants_keep_their_microseconds() {
        let at = timestamp(Timestamp::from_micros(1_500_001));
        assert_eq!((at.seconds, at.nanos), (1, 500_001_000));
    }
}
