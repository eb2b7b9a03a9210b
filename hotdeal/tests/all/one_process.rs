//! The whole shop in one process: what it answers, and how it ends.

use std::fs;

use product_api::{
    DecreaseStockRequest, StockItem, WatchDealRequest, product_service_client::ProductServiceClient,
};
use serde_json::Value;
use test_kit::{Postgres, Redis, eventually};
use tonic::transport::Channel;

use crate::shop::{SOON, Shop, text};

#[tokio::test]
async fn every_path_of_both_services_is_on_one_port() {
    let shop = Shop::start().await;
    let product = shop.start_deal(5).await;
    let (_, index, _) = shop.http.get("/", &[]).await;
    let paths = index["paths"].as_array().unwrap();
    for path in ["/orders/{id}/confirm", "/products/{product_id}/hotdeal"] {
        assert!(
            paths.iter().any(|listed| listed["path"] == path),
            "{path} in {index}"
        );
    }
    assert_eq!(
        shop.http.get(&format!("/products/{product}"), &[]).await.0,
        200
    );
    let (status, ready, _) = shop.ops.get("/health/ready", &[]).await;
    assert_eq!(
        (status.as_u16(), &ready["status"]),
        (200, &"ok".into()),
        "{ready}"
    );
    let (_, metrics, _) = shop.ops.get("/metrics", &[]).await;
    assert!(
        metrics.as_str().unwrap().contains("open_deals"),
        "{metrics}"
    );
}

/// 1,500 buyers race for the product's deal.
async fn crowd(shop: &Shop, product: &str) -> Value {
    let size = ["--buyers", "1500", "--connections", "32"];
    let demo = [&["demo", "--product", product][..], &size].concat();
    shop.json(&demo).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_leaves_exactly_nothing() {
    let shop = Shop::start().await;
    let product = shop.start_deal(300).await;
    let report = crowd(&shop, &product).await;
    assert_eq!(report["accepted"], 300, "{report}");
    assert_eq!(report["out_of_stock"], 1_200, "{report}");
    assert_eq!(report["verdict"]["is_good"], true, "{report}");
    let live = shop.live(&product).await;
    assert_eq!(
        (&live["available"], &live["held"]),
        (&0.into(), &300.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_and_redis_a_crowd_leaves_exactly_nothing_too() {
    let database = Postgres::shared().database().await;
    let redis = Redis::start().await;
    let env = [
        ("DATABASE_URL", database.url.as_str()),
        ("REDIS_URL", &redis.url()),
    ];
    let shop = Shop::start_with(&env, &[]).await;
    let product = shop.start_deal(300).await;
    let report = crowd(&shop, &product).await;
    assert_eq!(report["accepted"], 300, "{report}");
    assert_eq!(report["verdict"]["is_good"], true, "{report}");
    let live = shop.live(&product).await;
    assert_eq!(
        (&live["available"], &live["gate"]["present"]),
        (&0.into(), &true.into())
    );
    assert!(!shop.data_dir().exists());
}

#[tokio::test]
async fn grpc_is_open_too_and_shares_the_stock() {
    let shop = Shop::start().await;
    let product_id = shop.start_deal(7).await;
    let channel = Channel::from_shared(shop.grpc_url.clone()).unwrap();
    let mut client = ProductServiceClient::new(channel.connect().await.unwrap());
    let item = StockItem {
        product_id: product_id.clone(),
        quantity: 3,
        deal_id: None,
    };
    let request = DecreaseStockRequest {
        order_id: "0192f0c1-7b5e-7000-8000-0000000000f1".to_owned(),
        user_id: "0192f0c1-7b5e-7000-8000-0000000000f2".to_owned(),
        items: vec![item],
        first_attempt: true,
        ..DecreaseStockRequest::default()
    };
    client.decrease_stock(request).await.unwrap();
    assert_eq!(shop.live(&product_id).await["held"], 3);
}

#[tokio::test]
async fn a_demo_shows_tables_to_people_and_starts_a_deal_when_asked() {
    let shop = Shop::start().await;
    let none = shop.cli(&["demo"]).await;
    assert!(
        none.code == 1 && none.stderr.contains("--fresh-deal"),
        "{none:?}"
    );
    let ran = shop
        .cli(&["demo", "--fresh-deal", "--units", "20", "--buyers", "60"])
        .await;
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in ["accepted", "sold out", "p99", "before", "Verdict: good"] {
        assert!(
            ran.stdout.contains(words),
            "{words} is not in\n{}",
            ran.stdout
        );
    }
    let again = shop.cli(&["demo", "--buyers", "10"]).await;
    assert!(
        again.code == 0 && again.stdout.contains("--fresh-deal"),
        "{again:?}"
    );
    // What has units left is raced for before what is newer and has none.
    let product = shop.start_deal(5).await;
    shop.json(&["demo", "--fresh-deal", "--units", "1", "--buyers", "2"])
        .await;
    let report = shop.json(&["demo", "--buyers", "10"]).await;
    assert_eq!(report["accepted"], 5, "{report}");
    assert_eq!(shop.live(&product).await["held"], 5);
}

#[tokio::test]
async fn a_second_start_adds_no_second_demo_deal() {
    let mut shop = Shop::start_with(&[], &["--demo"]).await;
    let has_said = |shop: &Shop| shop.process.output().contains("Try, in another terminal");
    eventually(SOON, "it says what to try", async || has_said(&shop)).await;
    shop.process.terminate();
    assert!(shop.process.wait(SOON).await.success());
    shop.restart().await;
    eventually(SOON, "it says what to try", async || has_said(&shop)).await;
    let output = shop.process.output();
    assert!(output.contains("The deal of before still runs"), "{output}");
    let (_, products, _) = shop.http.get("/products", &[]).await;
    assert_eq!(products["total"], 1, "{products}");
}

#[tokio::test]
async fn what_is_printed_to_try_works_as_it_is_printed() {
    let shop = Shop::start_with(&[], &["--demo"]).await;
    let curl = eventually(SOON, "it says what to try", async || {
        let output = shop.process.output();
        let lines: Vec<String> = output
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("curl"))
            .map(str::to_owned)
            .collect();
        (lines.len() == 2).then_some(lines)
    })
    .await;
    for line in curl {
        let output = tokio::process::Command::new("bash")
            .args(["-c", &format!("{line} --noproxy '*' --fail-with-body")])
            .output()
            .await
            .unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && shown.starts_with('{'),
            "{line}: {shown}"
        );
    }
}

#[tokio::test]
async fn a_stop_lets_the_shop_end_well_and_its_orders_stay() {
    let mut shop = Shop::start().await;
    let product = shop.start_deal(5).await;
    let headers = [("x-user-id", "0198c0de-0000-7000-8000-000000000001")];
    let body = serde_json::json!({"items": [{"product_id": product, "quantity": 2}]});
    let (status, placed, _) = shop.http.post("/orders", &headers, &body).await;
    assert_eq!(status, 202, "{placed}");
    shop.process.terminate();
    let status = shop.process.wait(SOON).await;
    assert!(status.success(), "{}", shop.process.output());
    let files = fs::read_dir(shop.data_dir()).unwrap();
    let names: Vec<String> = files
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with("-wal"))
        .collect();
    assert!(names.is_empty(), "a database was not closed: {names:?}");
    shop.restart().await;
    let path = format!("/orders/{}", text(&placed, "id"));
    let (_, read, _) = shop.http.get(&path, &headers).await;
    assert_eq!(read, placed);
    assert_eq!(shop.live(&product).await["held"], 2);
}

#[tokio::test]
async fn a_stop_ends_the_streams_that_nobody_would_end() {
    // Whoever waits for them waits longer than this test does.
    let shop = Shop::start_with(&[("DRAIN_TIMEOUT", "10m")], &[]).await;
    let product = shop.start_deal(5).await;
    let user = "0198c0de-0000-7000-8000-000000000001";
    let placed = shop
        .json(&["order", "place", &product, "--user", user])
        .await;
    let path = format!("/orders/{}/events", text(&placed, "id"));
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let events = client.get(shop.http.url(&path)).header("x-user-id", user);
    let mut events = events.send().await.unwrap();
    assert!(events.chunk().await.unwrap().is_some());
    let channel = Channel::from_shared(shop.grpc_url.clone()).unwrap();
    let mut client = ProductServiceClient::new(channel.connect().await.unwrap());
    let deal_id = text(&shop.live(&product).await, "deal_id");
    let watched = client.watch_deal(WatchDealRequest { deal_id }).await;
    let mut deals = watched.unwrap().into_inner();
    assert!(deals.message().await.unwrap().is_some());
    shop.process.terminate();
    let status = shop.process.wait(SOON).await;
    assert!(status.success(), "{}", shop.process.output());
}
