//! Promise 3 through the whole shop: one key of one buyer is one order, whatever happens around it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::time::Duration;

use end_to_end::{Shop, ShopOptions};
use futures::future::join_all;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use test_kit::{eventually, http::Answer};

const BUYER: &str = "0192f0c1-7b5e-7000-8000-0000000000b1";
const OTHER: &str = "0192f0c1-7b5e-7000-8000-0000000000b2";
const KEY: &str = "the-one-key";
const SOON: Duration = Duration::from_secs(60);

async fn post(shop: &Shop, replica: usize, buyer: &str, body: &Value) -> Answer {
    let headers = [("x-user-id", buyer), ("idempotency-key", KEY)];
    let replica = &shop.order[replica % shop.order.len()];
    replica.http.post("/orders", &headers, body).await
}

fn units(product_id: &str, quantity: i64) -> Value {
    json!({"items": [{"product_id": product_id, "quantity": quantity}]})
}

/// Units held: none is missing. The gate may be too high for a while where two replicas raced one order,
/// until a refusal brings it down, so that nothing is said about it here.
async fn held(shop: &Shop, product_id: &str) -> Value {
    let live = shop.live(product_id).await;
    end_to_end::assert_balanced(&live);
    live["held"].clone()
}

/// The key sent again answers this very order, through either replica.
async fn assert_replayed(shop: &Shop, body: &Value, order: &Value) {
    for replica in 0..2 {
        let (status, again, headers) = post(shop, replica, BUYER, body).await;
        assert_eq!((status.as_u16(), &again), (202, order));
        assert_eq!(headers["idempotent-replayed"], "true");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn promise_3_a_key_is_one_order_through_two_replicas_restarts_and_an_emptied_redis() {
    let mut shop = Shop::start(ShopOptions {
        replicas: 2,
        ..ShopOptions::default()
    })
    .await;
    let deal = shop.start_deal(10).await;
    let body = units(&deal.product_id, 2);

    let sent = (0..100).map(|n| post(&shop, n, BUYER, &body));
    let answers = join_all(sent).await;
    let order = answers[0].1.clone();
    for (status, answer, _) in &answers {
        assert_eq!((status.as_u16(), answer), (202, &order));
    }
    assert_eq!(held(&shop, &deal.product_id).await, 2);

    let (status, problem, _) = post(&shop, 0, BUYER, &units(&deal.product_id, 3)).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (422, &json!("KEY_REUSED"))
    );
    let (status, theirs, _) = post(&shop, 1, OTHER, &body).await;
    assert_eq!(status, 202, "{theirs}");
    assert_ne!(theirs["id"], order["id"]);
    assert_eq!(held(&shop, &deal.product_id).await, 4);

    for replica in shop.product.iter_mut().chain(&mut shop.order) {
        replica.process.kill9();
        replica.restart().await;
    }
    assert_replayed(&shop, &body, &order).await;
    let redis = shop.redis.as_ref().unwrap();
    redis.kill9();
    redis.restart_empty().await;
    assert_replayed(&shop, &body, &order).await;

    let path = format!("/orders/{}", order["id"].as_str().unwrap());
    let buyer = [("x-user-id", BUYER)];
    for (verb, figures) in [("confirm", (2, 2)), ("cancel", (2, 0))] {
        let path = format!("{path}/{verb}");
        let (status, moved, _) = shop.order[0].http.post_empty(&path, &buyer).await;
        assert_eq!(status, 200, "{moved}");
        // As it now stands.
        assert_replayed(&shop, &body, &moved).await;
        let live = shop.live(&deal.product_id).await;
        end_to_end::assert_balanced(&live);
        assert_eq!(
            (&live["held"], &live["sold"]),
            (&figures.0.into(), &figures.1.into())
        );
    }
}

/// Keeps everybody from storing orders, and lets them read.
async fn stop_inserts(database: &mut PgConnection) {
    let lock = "BEGIN; LOCK TABLE order_service.orders IN SHARE MODE";
    sqlx::raw_sql(lock).execute(database).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_hold_ended_before_there_was_an_order_places_none() {
    let mut shop = Shop::start(ShopOptions {
        env: vec![("HOLD_TTL", "3s".to_owned())],
        ..ShopOptions::default()
    })
    .await;
    let deal = shop.start_deal(10).await;
    let body = units(&deal.product_id, 2);
    let mut database = PgConnection::connect(&shop.database.url).await.unwrap();
    stop_inserts(&mut database).await;
    // The process dies between the hold and the order.
    let headers = [("x-user-id", BUYER), ("idempotency-key", KEY)];
    let sent = shop.order[0]
        .http
        .send(reqwest::Method::POST, "/orders", &headers, Some(&body));
    let killed = async {
        eventually(SOON, "the stock is held", async || {
            shop.live(&deal.product_id).await["held"] == 2
        })
        .await;
        shop.order[0].process.kill9();
    };
    let (sent, ()) = tokio::join!(sent, killed);
    assert!(sent.is_err(), "{sent:?}");
    shop.order[0].restart().await;
    let ended = async || {
        let (status, answer, _) = post(&shop, 0, BUYER, &body).await;
        assert_ne!(status, 202, "{answer}");
        answer["error"] == "HOLD_ENDED"
    };
    eventually(SOON, "the hold has ended", ended).await;
    database.close().await.unwrap();
    let (status, answer, _) = post(&shop, 0, BUYER, &body).await;
    assert_eq!(
        (status.as_u16(), &answer["error"]),
        (409, &json!("HOLD_ENDED"))
    );
    // Another key is another matter.
    let headers = [("x-user-id", BUYER), ("idempotency-key", "another")];
    let another = shop.order[0].http.post("/orders", &headers, &body).await;
    assert_eq!(another.0, 202, "{}", another.1);
}
