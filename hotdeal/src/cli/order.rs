//! `hotdeal order …`.

use http::Method;
use serde_json::{Value, json};

use super::{
    args::{Order, OrderCommand},
    failure::Failure,
    run::answer,
    show::{self, Field},
};
use crate::client::{Shop, path_of};

const COLUMNS: &[Field] = &[
    ("order", "/id"),
    ("status", "/status"),
    ("reason", "/reason"),
    ("total", "/total_amount"),
    ("created at", "/created_at"),
    ("expires at", "/expires_at"),
];

const RECORD: &[Field] = &[
    ("order", "/id"),
    ("buyer", "/user_id"),
    ("status", "/status"),
    ("reason", "/reason"),
    ("total", "/total_amount"),
    ("created at", "/created_at"),
    ("expires at", "/expires_at"),
    ("confirmed at", "/confirmed_at"),
    ("cancelled at", "/cancelled_at"),
    ("cancel reason", "/cancel_reason"),
];

const ITEMS: &[Field] = &[
    ("product", "/product_id"),
    ("name", "/product_name"),
    ("units", "/quantity"),
    ("price", "/unit_price"),
    ("subtotal", "/subtotal"),
];

pub(super) async fn perform(order: Order, mut shop: Shop, is_json: bool) -> Result<(), Failure> {
    let user = order.user.ok_or_else(|| {
        let words = "an order is a buyer's: say which with --user UUID or HOTDEAL_USER";
        Failure::Usage(words.to_owned())
    })?;
    shop.user_id = Some(user.to_string());
    let found = match order.what {
        OrderCommand::Place { items, key } => {
            let items: Vec<Value> = items
                .iter()
                .map(|item| json!({"product_id": item.product, "quantity": item.units}))
                .collect();
            let headers: Vec<_> = key
                .iter()
                .map(|key| ("idempotency-key", key.as_str()))
                .collect();
            let body = Some(json!({"items": items}));
            shop.call_with(Method::POST, "/orders", body, &headers)
                .await?
        }
        OrderCommand::Show { order } => shop.get(&format!("/orders/{order}")).await?,
        OrderCommand::List { status, page } => {
            let query = [
                ("status", status),
                ("page", page.page.map(|page| page.to_string())),
                ("size", page.size.map(|size| size.to_string())),
            ];
            let found = shop.get(&path_of("/orders", &query)).await?;
            answer(&found, is_json, |found| show::page(found, COLUMNS));
            return Ok(());
        }
        OrderCommand::Confirm { order } => {
            let path = format!("/orders/{order}/confirm");
            shop.post(&path, Value::Null).await?
        }
        OrderCommand::Cancel { order, reason } => {
            let body = reason.map_or(Value::Null, |reason| json!({"reason": reason}));
            shop.post(&format!("/orders/{order}/cancel"), body).await?
        }
    };
    answer(&found, is_json, people);
    Ok(())
}

fn people(order: &Value) {
    show::record(order, RECORD);
    if let Some(items) = order["items"].as_array() {
        show::table(items, ITEMS);
    }
}
