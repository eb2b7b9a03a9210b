//! `hotdeal demo`: a burst of buyers at the running deal, and the verdict.
//!
//! - [`deal`]: which deal, or a new one. `burst`: the crowd. `tally`: what it was answered.
//! - `progress`: the bar. `verdict`: whether every unit is where the answers say. `report`: the tables.

mod burst;
pub(crate) mod deal;
mod progress;
mod report;
mod tally;
mod verdict;

use domain::ProductId;
use serde_json::Value;

use self::{burst::Crowd, report::Report};
use crate::{
    cli::Failure,
    client::{Base, Shop},
};

/// Buyers at most: each has a number in his id.
const BUYERS_MAX: i64 = 10_000_000;

/// What the crowd is and what it races for.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Buyers, each of whom orders one unit
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=BUYERS_MAX))]
    buyers: u32,
    /// Connections they come over; each is kept alive and carries one order at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// The product whose running deal they race for; the newest one with units left if not given
    #[arg(long)]
    product: Option<ProductId>,
    /// Adds a product and starts a deal for it first, so that there is something to sell
    #[arg(long, conflicts_with = "product")]
    fresh_deal: bool,
    /// Units of that deal
    #[arg(long, default_value_t = deal::UNITS, requires = "fresh_deal", value_parser = clap::value_parser!(i64).range(1..))]
    units: i64,
}

/// Lets the crowd loose and prints what came of it.
pub(crate) async fn run(options: Options, shop: &Shop, is_json: bool) -> Result<(), Failure> {
    let product_id = choose(&options, shop).await?;
    let before = deal::live(shop, &product_id).await?;
    if before["available"] == 0 && !is_json {
        service_kit::out::line(sold_out_hint(&shop.base));
    }
    let crowd = Crowd {
        buyers: options.buyers,
        connections: options.connections,
        product_id,
        is_shown: !is_json,
    };
    let burst = burst::run(&crowd, &shop.base).await?;
    let after = deal::live(shop, &crowd.product_id).await?;
    let report = Report::new(burst, before, after);
    report.print(is_json);
    match report.verdict.is_good() {
        true => Ok(()),
        false => Err(Failure::Bad("the verdict is bad".to_owned())),
    }
}

async fn choose(options: &Options, shop: &Shop) -> Result<String, Failure> {
    if let Some(product) = options.product {
        return Ok(product.to_string());
    }
    if options.fresh_deal {
        let deal = deal::start(shop, options.units).await?;
        return Ok(text(&deal, "product_id"));
    }
    match deal::running(shop).await? {
        Some(deal) => Ok(text(&deal, "product_id")),
        None => Err(Failure::Bad(
            "no deal runs: --fresh-deal adds one, or start one with hotdeal deal start".to_owned(),
        )),
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn sold_out_hint(base: &Base) -> String {
    format!(
        "The deal at {base} is sold out: everybody will be refused. --fresh-deal sells a new one."
    )
}
