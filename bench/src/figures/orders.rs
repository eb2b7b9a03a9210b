//! What the figures about orders share: a shop, a deal, connections that order, rows that are counted.

use std::rc::Rc;

use local_shop::{Shop, ShopOptions};
use test_kit::Http;

use super::usage;
use crate::{
    committed,
    load::{
        Load, Window, closed,
        http::{Buyers, Connection},
    },
    results::Sample,
};

/// More than can be sold in any window.
pub(super) const PLENTY: i64 = 1_000_000_000;

/// Accepted orders a second of a new shop, over `connections` directly to order-service.
pub(super) async fn accepted(
    options: ShopOptions,
    connections: usize,
    window: Window,
) -> crate::Result<Sample> {
    let shop = Shop::start(options).await;
    let deal = shop.start_deal(PLENTY).await;
    let buyers = Rc::new(Buyers::default());
    let address = shop.order[0].http_address;
    let connections = Connection::many(connections, address, &deal.product_id, &buyers);
    let load = closed(connections, window);
    let (load, used) = usage::during(shop.components(), window, load).await;
    let orders = both_committed(&shop.database.url, &load).await?;
    let sample = usage::noted(Sample::of_load(&load, load.won_per_s()), &used);
    Ok(Sample {
        committed: Some(orders),
        ..sample
    })
}

/// As many orders as were accepted, and as many holds.
async fn both_committed(url: &str, load: &Load) -> crate::Result<u64> {
    if load.in_all.lost > 0 {
        return Err(format!("{} orders were refused where all win", load.in_all.lost).into());
    }
    committed::check(load, committed::rows(url, committed::HOLDS).await?)?;
    let orders = committed::rows(url, committed::ORDERS).await?;
    committed::check(load, orders)?;
    Ok(orders)
}

/// Adds a product of `units` and starts a deal with all of them, at a shop that answers everything at
/// `http`. Answers the product's id.
pub(super) async fn deal_at(http: &Http, units: i64) -> crate::Result<String> {
    let product = serde_json::json!({"name": "한정판 운동화", "price": 10_000, "stock": units});
    let (status, product, _) = http.post("/products", &[], &product).await;
    let id = product["id"].as_str().filter(|_| status == 201);
    let id = id.ok_or_else(|| format!("no product, but {status} {product}"))?;
    let path = format!("/products/{id}/hotdeal/start");
    let (status, started, _) = http.post_empty(&path, &[]).await;
    match status.as_u16() {
        200 => Ok(id.to_owned()),
        _ => Err(format!("no deal, but {status} {started}").into()),
    }
}
