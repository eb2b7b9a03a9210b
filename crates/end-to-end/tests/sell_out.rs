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
            // Losers were told by the gate, or from memory of either service.
            let sold_out = |path| {
                let name =
                    format!("stock_decrements_total{{path=\"{path}\",outcome=\"out_of_stock\"}}");
                count(&metrics, &name)
            };
            let mut losers = sold_out("gate") + sold_out("memory");
            for replica in &shop.order {
                let (_, metrics, _) = replica.ops.get("/metrics", &[]).await;
                let metrics = metrics.as_str().unwrap_or_default();
                losers += count(metrics, "orders_refused_from_memory_total");
            }
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

/// The value of a counter, 0 if it is not there yet.
fn count(metrics: &str, name: &str) -> u32 {
    let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok();
    metrics.lines().find_map(value).unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn losers_are_refused_by_order_service_alone_until_a_unit_comes_back() {
    let shop = Shop::start(ShopOptions::default()).await;
    let deal = shop.start_deal(1).await;
    let winner = order_at_once(&shop, &deal.product_id, crowd(1), 1, 1).await;
    let [(_, order)] = &winner.accepted[..] else {
        panic!("{winner:?}");
    };
    let tally = order_at_once(&shop, &deal.product_id, crowd(400), 20, 1).await;
    assert_eq!(tally.refused("OUT_OF_STOCK"), 400);
    let mut from_memory = 0;
    for replica in &shop.order {
        let (_, metrics, _) = replica.ops.get("/metrics", &[]).await;
        let metrics = metrics.as_str().unwrap_or_default();
        from_memory += count(metrics, "orders_refused_from_memory_total");
    }
    let mut asked = 0;
    for replica in &shop.product {
        let (_, metrics, _) = replica.ops.get("/metrics", &[]).await;
        for path in ["gate", "memory", "ledger"] {
            let name =
                format!("stock_decrements_total{{path=\"{path}\",outcome=\"out_of_stock\"}}");
            asked += count(metrics.as_str().unwrap_or_default(), &name);
        }
    }
    assert!(from_memory > 0);
    assert_eq!(from_memory + asked, 400);
    let id = order["id"].as_str().unwrap_or_default();
    let buyer = order["user_id"].as_str().unwrap_or_default();
    let cancelled = shop.order[0]
        .http
        .post_empty(&format!("/orders/{id}/cancel"), &[("x-user-id", buyer)])
        .await;
    assert_eq!(cancelled.0, 200, "{cancelled:?}");
    eventually(
        std::time::Duration::from_secs(5),
        "the unit is sold again",
        async || {
            let tally = order_at_once(&shop, &deal.product_id, crowd(1), 1, 1).await;
            tally.accepted.len() == 1
        },
    )
    .await;
}
