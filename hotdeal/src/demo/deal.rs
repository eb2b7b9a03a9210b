//! The deal that a demo is about.

use serde_json::{Value, json};

use crate::client::{CallError, Shop, path_of};

/// Units of a demo deal.
pub(crate) const UNITS: i64 = 1_000;
/// What a demo deal's product costs, and what it costs in the deal.
pub(crate) const PRICE: i64 = 129_000;
/// See [`PRICE`].
pub(crate) const DEAL_PRICE: i64 = 89_000;
/// Units one buyer may have of it.
pub(crate) const PER_BUYER: i64 = 10;

/// A deal that runs: the newest one that has units left, else the newest; `None` if none runs.
pub(crate) async fn running(shop: &Shop) -> Result<Option<Value>, CallError> {
    let query = [("status", "running"), ("size", "100")];
    let query = query.map(|(name, value)| (name, Some(value.to_owned())));
    let mut found = shop.get(&path_of("/products/deals", &query)).await?;
    let Some(deals) = found["items"].as_array_mut() else {
        return Ok(None);
    };
    let with_units = deals.iter().position(|deal| deal["available"] != 0);
    Ok(deals.get_mut(with_units.unwrap_or(0)).map(Value::take))
}

/// Adds a product and starts a deal with all of its `units`. Answers the live deal.
pub(crate) async fn start(shop: &Shop, units: i64) -> Result<Value, CallError> {
    let product = json!({
        "name": "한정판 운동화 (limited sneakers)", "category": "demo", "price": PRICE, "stock": units,
    });
    let product = shop.post("/products", product).await?;
    let product_id = super::text(&product, "id");
    let terms = json!({"deal_price": DEAL_PRICE, "per_user_limit": PER_BUYER});
    let path = format!("/products/{product_id}/hotdeal/start");
    shop.post(&path, terms).await?;
    live(shop, &product_id).await
}

/// The live sum of a product's deal.
pub(crate) async fn live(shop: &Shop, product_id: &str) -> Result<Value, CallError> {
    shop.get(&format!("/products/{product_id}/hotdeal")).await
}
