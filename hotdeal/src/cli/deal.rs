//! `hotdeal deal …`.

use domain::ProductId;
use http::Method;
use serde_json::{Value, json};
use service_kit::out;

use super::{
    args::{Deal, Page},
    failure::Failure,
    run::answer,
    show::{self, Field},
    watch::watch,
};
use crate::client::{Shop, path_of};

const COLUMNS: &[Field] = &[
    ("deal", "/deal_id"),
    ("product", "/product_id"),
    ("status", "/status"),
    ("price", "/unit_price"),
    ("available", "/available"),
    ("held", "/held"),
    ("sold", "/sold"),
    ("starts at", "/starts_at"),
    ("ends at", "/ends_at"),
];

pub(super) async fn perform(what: Deal, shop: &Shop, is_json: bool) -> Result<(), Failure> {
    let done = match what {
        Deal::Start {
            product,
            units,
            price,
            per_buyer,
            ends_at,
        } => {
            let body = json!({
                "quantity": units, "deal_price": price, "per_user_limit": per_buyer,
                "ends_at": ends_at,
            });
            shop.post(&of(product, "/start"), set(body)).await?
        }
        Deal::Create {
            product,
            units,
            price,
            per_buyer,
            starts_at,
            ends_at,
        } => {
            let body = json!({
                "product_id": product, "deal_stock": units, "deal_price": price,
                "per_user_limit": per_buyer, "starts_at": starts_at, "ends_at": ends_at,
            });
            shop.post("/products/deals", set(body)).await?
        }
        Deal::Cancel { deal } => {
            let path = format!("/products/deals/{deal}");
            shop.call(Method::DELETE, &path, None).await?
        }
        Deal::End { product } => shop.post(&of(product, "/end"), Value::Null).await?,
        Deal::Pause { product } => shop.post(&of(product, "/pause"), Value::Null).await?,
        Deal::Resume { product } => shop.post(&of(product, "/resume"), Value::Null).await?,
        Deal::Restock { product, units } => {
            let path = of(product, "/restock");
            shop.post(&path, json!({"delta": units})).await?
        }
        Deal::Show { product } => shop.get(&of(product, "")).await?,
        Deal::List {
            status,
            product,
            page,
        } => {
            let found = shop.get(&list_path(status, product, &page)).await?;
            answer(&found, is_json, |found| show::page(found, COLUMNS));
            return Ok(());
        }
        Deal::Watch { product, every } => return watch(shop, product, every, is_json).await,
    };
    answer(&done, is_json, people);
    Ok(())
}

/// The path of a product's deal, or of something to do with it.
pub(super) fn of(product: ProductId, what: &str) -> String {
    format!("/products/{product}/hotdeal{what}")
}

fn list_path(status: Option<String>, product: Option<ProductId>, page: &Page) -> String {
    let query = [
        ("status", status),
        ("product_id", product.map(|id| id.to_string())),
        ("page", page.page.map(|page| page.to_string())),
        ("size", page.size.map(|size| size.to_string())),
    ];
    path_of("/products/deals", &query)
}

/// The fields that are set: one that is not must be left out, since `null` may mean something.
fn set(mut body: Value) -> Value {
    if let Value::Object(fields) = &mut body {
        fields.retain(|_, value| !value.is_null());
    }
    body
}

/// A deal in full, or what was done to it: the message says it.
fn people(done: &Value) {
    if let Some(message) = done["message"].as_str() {
        out::line(message);
    }
    show::record(done, show::DEAL);
    if done.get("available").is_none() {
        show::record(done, &[("stock", "/stock")]);
    }
}
