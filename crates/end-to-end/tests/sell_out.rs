//! A deal sells out: 4,000 buyers, 1,000 units.

use std::collections::BTreeSet;

use end_to_end::{
    Shop, ShopOptions, Tally,
    buyers::{crowd, order_at_once},
};
use test_kit::eventually;

const BUYERS: usize = 4_000;
const UNITS: i64 = 1_000;

/// As many requests as are open at a time: what one machine's sockets and the services' own limits let
/// through without anybody being told to come back.
const AT_ONCE: usize = 500;

/// A machine under load may be slow; nobody is to give up because of it.
const PATIENCE: (&str, &str) = ("REQUEST_TIMEOUT", "60s");

async fn sells_out_exactly(mut options: ShopOptions) {
    options.env.push((PATIENCE.0, PATIENCE.1.into()));
    let shop = Shop::start(options).await;
    let deal = shop.start_deal(UNITS).await;
    let tally = order_at_once(&shop, &deal.product_id, crowd(BUYERS), AT_ONCE, 5).await;
    assert_eq!(tally.accepted.len(), 1_000, "{:?}", tally.refused);
    assert_eq!(tally.refused("OUT_OF_STOCK"), 3_000, "{:?}", tally.refused);
    assert_every_accepted_order_is_readable(&shop, &tally).await;
    let live = shop.at_rest(&deal.product_id).await;
    assert_eq!(live["available"], 0);
    assert_eq!(live["held"], UNITS);
}

async fn assert_every_accepted_order_is_readable(shop: &Shop, tally: &Tally) {
    let mut ids = BTreeSet::new();
    for (number, (user_id, order)) in tally.accepted.iter().enumerate() {
        let id = order["id"].as_str().expect("an order has an id");
        assert!(ids.insert(id.to_owned()), "order {id} was accepted twice");
        let http = &shop.order[number % shop.order.len()].http;
        let (status, read, _) = http
            .get(&format!("/orders/{id}"), &[("x-user-id", user_id)])
            .await;
        assert_eq!(status, 200, "{read}");
        assert_eq!(read["status"], "PENDING");
        assert_eq!(read["total_amount"], 10_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_sells_out_exactly() {
    sells_out_exactly(ShopOptions::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_sells_out_exactly_over_two_replicas_of_each_service() {
    sells_out_exactly(ShopOptions {
        replicas: 2,
        ..ShopOptions::default()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_sells_out_exactly_without_redis() {
    sells_out_exactly(ShopOptions {
        has_gate: false,
        ..ShopOptions::default()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_sells_out_exactly_one_request_at_a_time() {
    sells_out_exactly(ShopOptions {
        env: vec![
            ("STOCK_BATCH_MAX", "1".into()),
            ("ORDER_BATCH_MAX", "1".into()),
        ],
        ..ShopOptions::default()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_and_health_tell_how_it_went() {
    let shop = Shop::start(ShopOptions::default()).await;
    let deal = shop.start_deal(10).await;
    order_at_once(&shop, &deal.product_id, crowd(40), 40, 1).await;
    let ops = &shop.product[0].ops;
    eventually(
        std::time::Duration::from_secs(10),
        "the metrics",
        async || {
            let (_, metrics, _) = ops.get("/metrics", &[]).await;
            let metrics = metrics.as_str().unwrap_or_default().to_owned();
            let held = r#"stock_decrements_total{path="gate",outcome="held"} 10"#;
            // Losers were told by the gate, or from memory.
            let sold_out = |path| {
                let line =
                    format!("stock_decrements_total{{path=\"{path}\",outcome=\"out_of_stock\"}} ");
                let count = metrics.lines().find_map(|found| found.strip_prefix(&line));
                count.map_or(0, |count| count.parse().expect("a count is a number"))
            };
            let losers: u32 = sold_out("gate") + sold_out("memory");
            losers == 30
                && [
                    held,
                    "open_holds 10",
                    "gate_drift_units",
                    "batch_len_bucket",
                    "le=\"0.00005\"",
                ]
                .iter()
                .all(|line| metrics.contains(line))
        },
    )
    .await;
    let (status, health, _) = ops.get("/health/ready", &[]).await;
    assert_eq!((status.as_u16(), &health["status"]), (200, &"ok".into()));
}
