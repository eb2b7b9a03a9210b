//! `hotdeal product …`.

use http::Method;
use serde_json::json;

use super::{
    args::Product,
    failure::Failure,
    run::answer,
    show::{self, Field},
};
use crate::client::{Shop, path_of};

const COLUMNS: &[Field] = &[
    ("product", "/id"),
    ("name", "/name"),
    ("category", "/category"),
    ("price", "/price"),
    ("stock", "/stock"),
    ("deal", "/deal/status"),
    ("deal price", "/deal/price"),
];

const RECORD: &[Field] = &[
    ("product", "/id"),
    ("name", "/name"),
    ("description", "/description"),
    ("category", "/category"),
    ("price", "/price"),
    ("stock", "/stock"),
    ("deal", "/deal/deal_id"),
    ("deal status", "/deal/status"),
    ("deal price", "/deal/price"),
    ("deal ends at", "/deal/ends_at"),
    ("created at", "/created_at"),
];

const STOCK: &[Field] = &[
    ("product", "/product_id"),
    ("stock", "/stock"),
    ("shelf: available", "/shelf/available"),
    ("shelf: held", "/shelf/held"),
    ("shelf: sold", "/shelf/sold"),
    ("deal", "/deal_id"),
];

pub(super) async fn perform(what: Product, shop: &Shop, is_json: bool) -> Result<(), Failure> {
    match what {
        Product::Add {
            name,
            price,
            stock,
            category,
            description,
        } => {
            let body = json!({
                "name": name, "price": price, "stock": stock,
                "category": category, "description": description,
            });
            let added = shop.post("/products", body).await?;
            answer(&added, is_json, |added| show::record(added, RECORD));
        }
        Product::List { category, page } => {
            let query = [
                ("category", category),
                ("page", page.page.map(|page| page.to_string())),
                ("size", page.size.map(|size| size.to_string())),
            ];
            let found = shop.get(&path_of("/products", &query)).await?;
            answer(&found, is_json, |found| show::page(found, COLUMNS));
        }
        Product::Show { product } => {
            let found = shop.get(&format!("/products/{product}")).await?;
            answer(&found, is_json, |found| show::record(found, RECORD));
        }
        Product::Stock { product, add } => {
            let path = format!("/products/{product}/stock");
            let stock = match add {
                Some(units) => {
                    let body = Some(json!({"delta": units}));
                    shop.call(Method::PATCH, &path, body).await?
                }
                None => shop.get(&path).await?,
            };
            answer(&stock, is_json, |stock| show::record(stock, STOCK));
        }
    }
    Ok(())
}
