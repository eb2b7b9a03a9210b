//! The body of `POST /orders` as nearly every client writes it, read in one go: the fields that count and no
//! others, each once and right. What is any different is read by hand, which may find it right all the same;
//! whatever is read here means the same there.

use domain::Quantity;
use serde::Deserialize;
use service_kit::extract;

use super::body::{
    Body, LINES_MAX, NAME_LEN_MAX, PHONE_LEN_MAX, POSTAL_CODE_LEN_MAX, STREET_LEN_MAX, fits,
};
use crate::order::{RequestedLine, ShippingAddress};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quick<'a> {
    #[serde(borrow)]
    items: Vec<Line<'a>>,
    shipping_address: Option<ShippingAddress>,
}

/// Ids without escapes, so that they need no copy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    product_id: &'a str,
    quantity: i64,
    #[serde(borrow)]
    deal_id: Option<&'a str>,
}

/// The body's meaning; `None` if it takes a second look.
pub(super) fn read(text: &str) -> Option<Body> {
    let quick: Quick<'_> = extract::decode_if_right(text)?;
    if !(1..=LINES_MAX).contains(&quick.items.len()) {
        return None;
    }
    if quick
        .shipping_address
        .as_ref()
        .is_some_and(|to| !is_right(to))
    {
        return None;
    }
    let lines: Option<Vec<RequestedLine>> = quick.items.iter().map(line).collect();
    Some(Body {
        lines: lines?,
        shipping_address: quick.shipping_address,
    })
}

fn line(line: &Line<'_>) -> Option<RequestedLine> {
    Some(RequestedLine {
        product_id: line.product_id.parse().ok()?,
        deal_id: line.deal_id.map(str::parse).transpose().ok()?,
        quantity: Quantity::try_from(line.quantity).ok()?,
    })
}

fn is_right(address: &ShippingAddress) -> bool {
    let detail = address.address_detail.as_deref().unwrap_or_default();
    fits(&address.recipient_name, NAME_LEN_MAX)
        && fits(&address.phone, PHONE_LEN_MAX)
        && fits(&address.address, STREET_LEN_MAX)
        && (detail.is_empty() || fits(detail, STREET_LEN_MAX))
        && fits(&address.postal_code, POSTAL_CODE_LEN_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::select};

    use super::{super::body::read_by_hand, *};

    const ID: &str = "0192f0c1-7b5e-7000-8000-000000000001";

    #[test]
    fn the_usual_body_is_read_in_one_go() {
        for body in [
            format!(r#"{{"items":[{{"product_id":"{ID}","quantity":1}}]}}"#),
            format!(
                r#" {{"shipping_address": null, "items": [{{"quantity": 2, "product_id": "{ID}", "deal_id": "{ID}"}},
                {{"product_id":"{ID}","quantity":1,"deal_id":null}}]}} "#
            ),
            format!(
                r#"{{"items":[{{"product_id":"{ID}","quantity":1}}],"shipping_address":{{"recipient_name":"김하나",
                "phone":"010","address":"서울","postal_code":"04524","note":"ignored"}}}}"#
            ),
        ] {
            assert!(read(&body).is_some(), "{body}");
        }
    }

    #[test]
    fn what_may_be_wrong_takes_a_second_look() {
        for body in [
            format!(r#"[[["{ID}",1,null]],null]"#),
            format!(r#"{{"items":[["{ID}",1,null]]}}"#),
            format!(r#"{{"items":[{{"product_id":"{ID}","quantity":1}}],"status":null}}"#),
            format!(r#"{{"items":[{{"product_id":"{ID}","quantity":1,"unit_price":1}}]}}"#),
            format!(r#"{{"items":[{{"product_id":"{ID}","quantity":1}}]}} x"#),
            r#"{"items":[]}"#.to_owned(),
        ] {
            assert!(read(&body).is_none(), "{body}");
        }
    }

    /// Values that fit somewhere, and others.
    fn value() -> impl Strategy<Value = String> {
        select(vec![
            format!("\"{ID}\""),
            "\"0192f0c1-7b5e-7000-8000-00000000000\\u0031\"".to_owned(),
            "\"{0192f0c1-7b5e-7000-8000-00000000000}\"".to_owned(),
            "1".to_owned(),
            "1000000".to_owned(),
            "1000001".to_owned(),
            "-0".to_owned(),
            "1.0".to_owned(),
            "9223372036854775808".to_owned(),
            "null".to_owned(),
            "\"\"".to_owned(),
            "\"a\\u0000\"".to_owned(),
            format!("\"{}\"", "김".repeat(32)),
            format!("\"{}\"", "x".repeat(101)),
            "[]".to_owned(),
            "{}".to_owned(),
        ])
    }

    /// An object of up to six fields, some of them twice.
    fn object(
        names: &'static [&'static str],
        value: impl Strategy<Value = String>,
    ) -> impl Strategy<Value = String> {
        let fields = prop::collection::vec((select(names), value), 0..6);
        fields.prop_map(|fields| {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("\"{name}\":{value}"))
                .collect();
            format!("{{{}}}", fields.join(","))
        })
    }

    fn item() -> impl Strategy<Value = String> {
        let right = format!(r#"{{"product_id":"{ID}","quantity":3}}"#);
        let names = &["product_id", "quantity", "deal_id", "status", "gift"];
        prop_oneof![Just(right), object(names, value())]
    }

    fn address() -> impl Strategy<Value = String> {
        let names = &["recipient_name", "phone", "address", "address_detail", "x"];
        let right = r#"{"recipient_name":"a","phone":"1","address":"b","address_detail":"","postal_code":"2"}"#;
        prop_oneof![Just(right.to_owned()), object(names, value())]
    }

    fn body() -> impl Strategy<Value = String> {
        let items = prop::collection::vec(item(), 0..3);
        let items = items.prop_map(|items| format!("[{}]", items.join(",")));
        (
            items,
            prop::option::of(address()),
            prop::option::of(value()),
        )
            .prop_map(|(items, address, more)| {
                let address = address.map(|address| format!(",\"shipping_address\":{address}"));
                let more = more.map(|more| format!(",\"items\":{more}"));
                let (address, more) = (address.unwrap_or_default(), more.unwrap_or_default());
                format!("{{\"items\":{items}{address}{more}}}")
            })
    }

    proptest! {
        #[test]
        fn whatever_is_read_in_one_go_means_the_same_when_it_is_read_by_hand(text in body()) {
            if let Some(quick) = read(&text) {
                let value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(Ok(quick), read_by_hand(&value));
            }
        }
    }
}
