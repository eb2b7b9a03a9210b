//! `hotdeal deal watch`: a line whenever something has changed.

use std::time::Duration;

use domain::ProductId;
use serde_json::Value;
use service_kit::out;
use tokio::time::sleep;

use super::{deal::of, failure::Failure, show::grouped};
use crate::client::Shop;

pub(super) async fn watch(
    shop: &Shop,
    product: ProductId,
    every: Duration,
    is_json: bool,
) -> Result<(), Failure> {
    let mut shown = String::new();
    loop {
        let live = shop.get(&of(product, "")).await?;
        let line = match is_json {
            true => live.to_string(),
            false => people(&live),
        };
        if line != shown {
            out::line(&line);
            shown = line;
        }
        if live["status"] == "ended" {
            return Ok(());
        }
        sleep(every).await;
    }
}

fn people(live: &Value) -> String {
    let figure = |name: &str| grouped(live[name].as_u64().unwrap_or(0));
    format!(
        "{:8}  available {:>9}  held {:>9}  sold {:>9}",
        live["status"].as_str().unwrap_or_default(),
        figure("available"),
        figure("held"),
        figure("sold"),
    )
}
