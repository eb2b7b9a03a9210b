//! The whole topology: two replicas of each service behind nginx.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use local_shop::{Shop, ShopOptions, assert_balanced, usage::Sampler};
use reqwest::Method;
use serde_json::{Value, json};
use test_kit::eventually;

const BUYER: &str = "0192f0c1-7b5e-7000-8000-0000000000b1";
const SOON: Duration = Duration::from_secs(10);

async fn start() -> Shop {
    Shop::start(ShopOptions {
        replicas: 2,
        has_gateway: true,
        is_durable: true,
        ..ShopOptions::default()
    })
    .await
}

async fn place(shop: &Shop, product_id: &str, key: Option<&str>) -> (u16, Value) {
    let body = json!({"items": [{"product_id": product_id, "quantity": 1}]});
    let mut headers = vec![("x-user-id", BUYER)];
    headers.extend(key.map(|key| ("idempotency-key", key)));
    let (status, answer, _) = shop.front().post("/orders", &headers, &body).await;
    (status.as_u16(), answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_placed_and_confirmed_through_the_gateway_and_every_component_is_measured() {
    let shop = start().await;
    let names: Vec<String> = shop.components().into_iter().map(|it| it.name).collect();
    assert_eq!(
        names,
        [
            "order-service",
            "product-service",
            "gateway",
            "redis",
            "postgres"
        ]
    );
    let sampler = Sampler::start(shop.components(), Duration::from_millis(200));
    let deal = shop.start_deal(50).await;
    for _ in 0..50 {
        let (status, order) = place(&shop, &deal.product_id, None).await;
        assert_eq!(status, 202, "{order}");
        let path = format!("/orders/{}/confirm", order["id"].as_str().unwrap());
        let (status, confirmed, _) = shop
            .front()
            .post_empty(&path, &[("x-user-id", BUYER)])
            .await;
        assert_eq!(
            (status.as_u16(), &confirmed["status"]),
            (200, &json!("CONFIRMED"))
        );
    }
    let (status, refused) = place(&shop, &deal.product_id, None).await;
    assert_eq!((status, &refused["error"]), (409, &json!("OUT_OF_STOCK")));
    let live = shop.at_rest(&deal.product_id).await;
    assert_balanced(&live);
    assert_eq!(live["sold"], 50);
    let usage = sampler.stop().await;
    for name in &names {
        let one = usage.component(name).unwrap();
        // A hundred requests are less to nginx and to Redis than the hundredth of a second that is counted in.
        let is_counted = !["gateway", "redis"].contains(&name.as_str());
        assert!(
            one.cpu_seconds > 0.0 || !is_counted,
            "{name} has worked: {one:?}"
        );
        assert!(one.rss_peak_bytes > 1_000_000, "{name}: {one:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_the_offer_does_not_get_past_the_gateway_without_a_token() {
    let shop = start().await;
    let gateway = shop.front();
    let deal = shop.start_deal(1).await;
    let live = format!("/products/{}/hotdeal", deal.product_id);
    let lamp = json!({"name": "Lamp", "price": 500, "stock": 2});
    let token = ("authorization", "Bearer any");

    let (status, problem, _) = gateway.post("/products", &[], &lamp).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (401, &json!("UNAUTHORIZED"))
    );
    assert_eq!(gateway.get(&live, &[]).await.0, 401);
    // product-service checks the token; this one listens on loopback and has none to compare with.
    assert_eq!(gateway.post("/products", &[token], &lamp).await.0, 201);
    assert_eq!(gateway.get(&live, &[token]).await.0, 200);
    assert_eq!(gateway.get("/products", &[]).await.0, 200);
    let (status, problem, _) = gateway.get("/metrics", &[]).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (404, &json!("NOT_FOUND"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_replica_that_dies_is_not_noticed_and_without_any_the_gateway_says_so() {
    let mut shop = start().await;
    let deal = shop.start_deal(100).await;
    shop.order[0].process.kill9();
    for number in 0..20 {
        let key = format!("order-{number}");
        let key = (number % 2 == 0).then_some(key.as_str());
        let (status, order) = place(&shop, &deal.product_id, key).await;
        assert_eq!(status, 202, "{order}");
    }
    shop.order[1].process.kill9();
    let answer = shop.front().send(Method::GET, "/orders/any", &[], None);
    let (status, problem, headers) = answer.await.unwrap();
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (503, &json!("UNAVAILABLE"))
    );
    assert_eq!(headers["retry-after"], "1");
    assert_eq!(headers["content-type"], "application/problem+json");
    let keyed = place(&shop, &deal.product_id, Some("nobody")).await;
    assert_eq!(
        (keyed.0, &keyed.1["error"]),
        (503, &json!("UNAVAILABLE")),
        "{}",
        keyed.1
    );
    shop.order[0].restart().await;
    eventually(SOON, "the gateway finds the replica again", async || {
        place(&shop, &deal.product_id, Some("late")).await.0 == 202
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_an_order_pass_the_gateway_as_they_happen() {
    let shop = start().await;
    let deal = shop.start_deal(1).await;
    let (_, order) = place(&shop, &deal.product_id, None).await;
    let id = order["id"].as_str().unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = shop.front().url(&format!("/orders/{id}/events"));
    let mut events = client
        .get(url)
        .header("x-user-id", BUYER)
        .send()
        .await
        .unwrap();
    let mut seen = String::new();
    while !seen.contains("PENDING") {
        seen += &String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap());
    }
    let confirm = format!("/orders/{id}/confirm");
    shop.front()
        .post_empty(&confirm, &[("x-user-id", BUYER)])
        .await;
    while !seen.contains("CONFIRMED") {
        let chunk = tokio::time::timeout(SOON, events.chunk()).await;
        seen += &String::from_utf8_lossy(&chunk.unwrap().unwrap().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_gateway_takes_its_workers_along() {
    let mut shop = start().await;
    let gateway = shop.gateway.take().unwrap();
    let master = gateway.process.pid();
    let children =
        std::fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap();
    let workers: BTreeSet<PathBuf> = children
        .split_whitespace()
        .map(|pid| PathBuf::from("/proc").join(pid))
        .collect();
    assert_eq!(workers.len(), 2, "two workers: {children}");
    drop(gateway);
    assert!(workers.iter().all(|worker| !worker.exists()));
}
