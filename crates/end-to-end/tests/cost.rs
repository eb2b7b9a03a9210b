//! What a request alone on an idle system costs.
//!
//! Postgres gives a transaction an id only when it writes, so the difference of the next id counts the
//! commits that need an fsync. The keepers of an idle shop only read.

use end_to_end::{
    Shop, ShopOptions,
    buyers::{crowd, order_at_once, user_id},
};
use product_api::{DecreaseStockRequest, StockItem, product_service_client::ProductServiceClient};
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use test_kit::eventually;
use tonic::transport::Endpoint;
use uuid::Uuid;

/// Writing transactions so far, and calls of the admission script.
async fn counts(shop: &Shop, db: &mut PgConnection) -> (i64, u64) {
    let next = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    let commits = sqlx::query_scalar(next)
        .fetch_one(db)
        .await
        .expect("the database answers");
    let (_, metrics, _) = shop.product[0].ops.get("/metrics", &[]).await;
    (commits, admissions(&metrics))
}

fn admissions(metrics: &Value) -> u64 {
    let count = r#"gate_script_seconds_count{script="admit"} "#;
    let lines = metrics.as_str().expect("metrics are text").lines();
    let line = lines.filter_map(|line| line.strip_prefix(count)).next();
    line.map_or(0, |count| count.parse().expect("a count is a number"))
}

/// One that remembers nothing: each request pays for itself.
async fn durable_shop() -> (Shop, PgConnection) {
    let shop = Shop::start(ShopOptions {
        is_durable: true,
        env: vec![("SOLD_OUT_MEMORY", "0ms".into())],
        ..ShopOptions::default()
    })
    .await;
    let db = PgConnection::connect(&shop.database.url).await;
    (shop, db.expect("the database can be reached"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decrease_alone_costs_one_script_call_and_one_commit() {
    let (shop, mut db) = durable_shop().await;
    let deal = shop.start_deal(100).await;
    let endpoint = Endpoint::from_shared(shop.grpc_urls[0].clone()).unwrap();
    let mut client = ProductServiceClient::new(endpoint.connect().await.unwrap());
    let before = counts(&shop, &mut db).await;
    for number in 0..10 {
        let request = DecreaseStockRequest {
            order_id: Uuid::from_u128(number).to_string(),
            user_id: user_id(1),
            items: vec![StockItem {
                product_id: deal.product_id.clone(),
                quantity: 1,
                deal_id: None,
            }],
            hold_ttl: None,
            first_attempt: true,
        };
        client.decrease_stock(request).await.unwrap();
    }
    let after = counts(&shop, &mut db).await;
    assert_eq!((after.0 - before.0, after.1 - before.1), (10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_alone_costs_one_script_call_and_a_commit_in_each_service() {
    let (shop, mut db) = durable_shop().await;
    let deal = shop.start_deal(100).await;
    let before = counts(&shop, &mut db).await;
    let tally = order_at_once(&shop, &deal.product_id, crowd(10), 1, 1).await;
    assert_eq!(tally.accepted.len(), 10);
    let after = counts(&shop, &mut db).await;
    assert_eq!((after.0 - before.0, after.1 - before.1), (20, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loser_who_is_not_answered_from_memory_costs_one_script_call_and_no_commit() {
    let (shop, mut db) = durable_shop().await;
    let deal = shop.start_deal(1).await;
    order_at_once(&shop, &deal.product_id, crowd(1), 1, 1).await;
    let before = counts(&shop, &mut db).await;
    let tally = order_at_once(&shop, &deal.product_id, crowd(10), 1, 1).await;
    assert_eq!(tally.refused("OUT_OF_STOCK"), 10);
    let after = counts(&shop, &mut db).await;
    assert_eq!((after.0 - before.0, after.1 - before.1), (0, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_arrives_together_shares_a_commit() {
    let (shop, mut db) = durable_shop().await;
    let deal = shop.start_deal(400).await;
    let before = counts(&shop, &mut db).await;
    let tally = order_at_once(&shop, &deal.product_id, crowd(400), 400, 5).await;
    assert_eq!(tally.accepted.len(), 400);
    let after = counts(&shop, &mut db).await;
    assert!(after.0 - before.0 < 400, "{} commits", after.0 - before.0);
    eventually(std::time::Duration::from_secs(5), "rest", async || {
        shop.live(&deal.product_id).await["drift"] == 0
    })
    .await;
}
