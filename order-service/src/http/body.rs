//! What the body of `POST /orders` must look like. Everything that is wrong is said at once.

use std::str::FromStr;

use domain::{DealId, ProductId, Quantity};
use serde_json::{Map, Value};
use service_kit::{
    extract,
    problem::{FieldError, Problem},
};
use utoipa::ToSchema;

use super::quick;
use crate::order::{RequestedLine, ShippingAddress};

/// Lines of one order.
pub(super) const LINES_MAX: usize = 100;

/// Characters of an address's fields.
pub(super) const NAME_LEN_MAX: usize = 100;
pub(super) const PHONE_LEN_MAX: usize = 32;
pub(super) const STREET_LEN_MAX: usize = 300;
pub(super) const POSTAL_CODE_LEN_MAX: usize = 16;

/// Fields that only the server sets: whoever sends them believes that they count.
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

/// What the body looks like, for the document; it is read by hand, so that all its faults are said at once.
#[derive(ToSchema)]
#[schema(as = OrderRequest)]
#[expect(dead_code, reason = "only its shape counts")]
pub(super) struct OrderBody {
    /// Lines of one product are summed.
    #[schema(min_items = 1, max_items = 100)]
    items: Vec<LineBody>,
    shipping_address: Option<ShippingAddress>,
}

/// One line.
#[derive(ToSchema)]
#[schema(as = OrderRequestLine)]
#[expect(dead_code, reason = "only its shape counts")]
struct LineBody {
    product_id: ProductId,
    quantity: Quantity,
    /// The deal that must run, or the line is refused: without it the price may be another.
    deal_id: Option<DealId>,
}

/// The body's meaning.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Body {
    pub(super) lines: Vec<RequestedLine>,
    pub(super) shipping_address: Option<ShippingAddress>,
}

/// Why a body has no meaning.
#[derive(Debug)]
pub(super) enum Wrong {
    /// It is no JSON.
    Text(Problem),
    /// Fields are wrong: all of them.
    Fields(Vec<FieldError>),
}

/// Reads the body, or says everything that is wrong with it.
pub(super) fn read(text: &str) -> Result<Body, Wrong> {
    if let Some(body) = quick::read(text) {
        return Ok(body);
    }
    let body = extract::decode(text).map_err(Wrong::Text)?;
    read_by_hand(&body).map_err(Wrong::Fields)
}

/// Takes whatever is JSON, so that all its faults can be said.
pub(super) fn read_by_hand(body: &Value) -> Result<Body, Vec<FieldError>> {
    let mut reader = Reader::default();
    let Value::Object(body) = body else {
        return Err(vec![FieldError::new("body", "must be an object")]);
    };
    reader.refuse(body, "", &SERVER_SETS);
    let lines = reader.lines(body.get("items"));
    let shipping_address = reader.address(body.get("shipping_address"));
    if reader.wrong.is_empty() {
        Ok(Body {
            lines,
            shipping_address,
        })
    } else {
        Err(reader.wrong)
    }
}

/// Those of `names`, which only the server sets, that a caller has set below `path`.
pub(super) fn server_set(
    object: &Map<String, Value>,
    path: &str,
    names: &[&str],
) -> impl Iterator<Item = FieldError> {
    let set = names.iter().filter(|name| object.contains_key(**name));
    set.map(move |name| FieldError::new(format!("{path}{name}"), "is set by the server"))
}

#[derive(Default)]
struct Reader {
    wrong: Vec<FieldError>,
}

impl Reader {
    fn say(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.wrong.push(FieldError::new(field, message));
    }

    fn refuse(&mut self, object: &Map<String, Value>, path: &str, names: &[&str]) {
        self.wrong.extend(server_set(object, path, names));
    }

    fn lines(&mut self, items: Option<&Value>) -> Vec<RequestedLine> {
        let items = match items {
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.say("items", "must be an array");
                return Vec::new();
            }
            None => {
                self.say("items", "must be set");
                return Vec::new();
            }
        };
        if items.is_empty() || items.len() > LINES_MAX {
            self.say("items", format!("must have 1 to {LINES_MAX} lines"));
            return Vec::new();
        }
        let numbered = items.iter().enumerate();
        numbered
            .filter_map(|(index, item)| self.line(item, &format!("items[{index}]")))
            .collect()
    }

    fn line(&mut self, item: &Value, path: &str) -> Option<RequestedLine> {
        let Value::Object(item) = item else {
            self.say(path, "must be an object");
            return None;
        };
        self.refuse(item, &format!("{path}."), &SERVER_SETS_IN_ITEMS);
        let product_id = self.id(item.get("product_id"), &format!("{path}.product_id"));
        let deal_id = match item.get("deal_id") {
            None | Some(Value::Null) => None,
            deal_id => self.id(deal_id, &format!("{path}.deal_id")),
        };
        let quantity = self.quantity(item.get("quantity"), &format!("{path}.quantity"));
        Some(RequestedLine {
            product_id: product_id?,
            deal_id,
            quantity: quantity?,
        })
    }

    fn id<T: FromStr<Err = domain::ids::InvalidId>>(
        &mut self,
        value: Option<&Value>,
        path: &str,
    ) -> Option<T> {
        let text = value.and_then(Value::as_str).unwrap_or_default();
        text.parse()
            .map_err(|invalid: T::Err| self.say(path, invalid.to_string()))
            .ok()
    }

    fn quantity(&mut self, value: Option<&Value>, path: &str) -> Option<Quantity> {
        let units = value.and_then(Value::as_i64).unwrap_or(0);
        Quantity::try_from(units)
            .map_err(|invalid| self.say(path, invalid.to_string()))
            .ok()
    }

    fn address(&mut self, value: Option<&Value>) -> Option<ShippingAddress> {
        let address = match value {
            None | Some(Value::Null) => return None,
            Some(Value::Object(address)) => address,
            Some(_) => {
                self.say("shipping_address", "must be an object");
                return None;
            }
        };
        let recipient_name = self.text(address, "recipient_name", NAME_LEN_MAX);
        let phone = self.text(address, "phone", PHONE_LEN_MAX);
        let street = self.text(address, "address", STREET_LEN_MAX);
        let address_detail = match address.get("address_detail") {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) if text.is_empty() => Some(String::new()),
            Some(_) => self.text(address, "address_detail", STREET_LEN_MAX),
        };
        let postal_code = self.text(address, "postal_code", POSTAL_CODE_LEN_MAX);
        Some(ShippingAddress {
            recipient_name: recipient_name?,
            phone: phone?,
            address: street?,
            address_detail,
            postal_code: postal_code?,
        })
    }

    fn text(&mut self, object: &Map<String, Value>, name: &str, len_max: usize) -> Option<String> {
        let text = object.get(name).and_then(Value::as_str).unwrap_or_default();
        if fits(text, len_max) {
            return Some(text.to_owned());
        }
        self.say(
            format!("shipping_address.{name}"),
            format!("must be 1 to {len_max} characters without control characters"),
        );
        None
    }
}

/// Whether a field of an address may be so.
pub(super) fn fits(text: &str, len_max: usize) -> bool {
    (1..=len_max).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &Value) -> Result<Body, Vec<FieldError>> {
        super::read(&body.to_string()).map_err(|wrong| match wrong {
            Wrong::Fields(fields) => fields,
            Wrong::Text(problem) => panic!("{problem:?}"),
        })
    }

    const ID: &str = "0192f0c1-7b5e-7000-8000-000000000001";

    fn wrong(body: &Value) -> Vec<String> {
        let wrong = read(body).expect_err("accepted");
        wrong.into_iter().map(|one| one.field).collect()
    }

    fn with_quantity(quantity: Value) -> Value {
        json!({"items": [{"product_id": ID, "quantity": quantity}]})
    }

    #[test]
    fn only_whole_numbers_in_range_are_a_quantity() {
        for quantity in [
            json!(0),
            json!(-1),
            json!(1_000_001),
            json!(1u64 << 31),
            json!(1u64 << 63),
            json!("1"),
            json!(1.5),
            json!(1.0),
            json!(null),
            json!([1]),
        ] {
            let fields = wrong(&with_quantity(quantity.clone()));
            assert_eq!(fields, ["items[0].quantity"], "{quantity}");
        }
        assert_eq!(read(&with_quantity(json!(2))).unwrap().lines.len(), 1);
    }

    #[test]
    fn one_to_a_hundred_lines_are_an_order() {
        let lines = |count| json!({"items": vec![json!({"product_id": ID, "quantity": 1}); count]});
        for count in [0, 101] {
            assert_eq!(wrong(&lines(count)), ["items"]);
        }
        assert_eq!(read(&lines(100)).unwrap().lines.len(), 100);
        for body in [json!({}), json!({"items": null}), json!({"items": {}})] {
            assert_eq!(wrong(&body), ["items"]);
        }
        for body in [json!(null), json!([]), json!("x")] {
            assert_eq!(wrong(&body), ["body"]);
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        let body = json!({
            "status": "CONFIRMED",
            "items": [
                {"product_id": "{x}", "quantity": 0, "deal_id": "\u{0}", "unit_price": 1},
                7,
            ],
            "shipping_address": {"recipient_name": "a\u{0}", "phone": 5, "postal_code": "1"},
        });
        assert_eq!(
            wrong(&body),
            [
                "status",
                "items[0].unit_price",
                "items[0].product_id",
                "items[0].deal_id",
                "items[0].quantity",
                "items[1]",
                "shipping_address.recipient_name",
                "shipping_address.phone",
                "shipping_address.address",
            ]
        );
    }

    #[test]
    fn what_only_the_server_sets_is_refused_and_other_unknown_fields_are_ignored() {
        for name in SERVER_SETS {
            let mut body = with_quantity(json!(1));
            body[name] = json!(null);
            assert_eq!(wrong(&body), [name]);
        }
        for name in SERVER_SETS_IN_ITEMS {
            let mut body = with_quantity(json!(1));
            body["items"][0][name] = json!(1);
            assert_eq!(wrong(&body), [format!("items[0].{name}")]);
        }
        let mut body = with_quantity(json!(1));
        body["colour"] = json!("red");
        body["items"][0]["gift"] = json!(true);
        assert!(read(&body).is_ok());
    }

    #[test]
    fn an_address_is_limited_in_characters_not_in_bytes() {
        let name = |len: usize| {
            let mut body = with_quantity(json!(1));
            body["shipping_address"] = json!({
                "recipient_name": "김".repeat(len), "phone": "010", "address": "서울",
                "address_detail": "", "postal_code": "04524",
            });
            body
        };
        assert!(read(&name(100)).unwrap().shipping_address.is_some());
        assert_eq!(wrong(&name(101)), ["shipping_address.recipient_name"]);
        assert_eq!(wrong(&name(0)), ["shipping_address.recipient_name"]);
    }
}
