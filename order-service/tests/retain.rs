//! Retention: what ended long ago is deleted with its key, and nothing else.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod shop;

use std::time::Duration;

use serde_json::Value;
use shop::{BUYER, Shop, one_line, product::Fault};
use test_kit::eventually;

const SOON: Duration = Duration::from_secs(30);
const KEPT: &str = "--order-retention=25h";

/// Everything that there is happened 26 hours ago.
async fn age(shop: &Shop) {
    let age = "UPDATE orders SET created_at_us = created_at_us - 26 * 3600000000::bigint,
                                 updated_at_us = updated_at_us - 26 * 3600000000::bigint";
    sqlx::query(age).execute(&shop.pool).await.unwrap();
}

async fn ids(shop: &Shop) -> Vec<String> {
    let (_, list, _) = shop.get("/orders?size=100").await;
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|order| order["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn confirmed(shop: &Shop, body: &Value) -> String {
    let id = shop.placed(body).await;
    shop.post(&format!("/orders/{id}/confirm")).await;
    id
}

#[tokio::test]
async fn what_ended_long_ago_is_deleted_with_its_events_and_the_rest_is_kept() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 100);
    let body = one_line(tea, 1);
    let pending = shop.placed(&body).await;
    let cancelling = confirmed(&shop, &body).await;
    for _ in 0..3 {
        shop.product.fail("take_back", Fault::LoseRequest);
    }
    shop.post(&format!("/orders/{cancelling}/cancel")).await;
    let busy = "UPDATE orders SET lease_until_us = now_us() + 3600000000";
    sqlx::query(busy).execute(&shop.pool).await.unwrap();
    let unsent = confirmed(&shop, &body).await;
    let sent = confirmed(&shop, &body).await;
    for (number, order, sent_at_us) in [(1, &unsent, None), (2, &sent, Some(9))] {
        let event = "INSERT INTO outbox (id, order_id, kind, payload, created_at_us, sent_at_us)
                     VALUES ($1, $2, 'OrderPlaced', '{}', 1, $3)";
        let event = sqlx::query(event)
            .bind(uuid::Uuid::from_u128(number))
            .bind(order.parse::<uuid::Uuid>().unwrap())
            .bind(sent_at_us);
        event.execute(&shop.pool).await.unwrap();
    }
    let (_, keyed, _) = shop.place_keyed(BUYER, "key", &body).await;
    let keyed = keyed["id"].as_str().unwrap().to_owned();
    shop.post(&format!("/orders/{keyed}/cancel")).await;
    age(&shop).await;
    let recent = confirmed(&shop, &body).await;

    let url = shop.database_url.clone();
    let replica = Shop::open_on(&url, &url, shop.product.clone(), &[KEPT]).await;
    eventually(SOON, "the old ones are deleted", async || {
        ids(&replica).await.len() <= 4
    })
    .await;
    let mut kept = ids(&replica).await;
    kept.sort();
    let mut expected = vec![pending, cancelling, unsent, recent];
    expected.sort();
    assert_eq!(kept, expected);
    let events: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox")
        .fetch_one(&shop.pool)
        .await
        .unwrap();
    assert_eq!(events, 1);
    // The key is free, but product-service has not forgotten its hold.
    let (status, problem, _) = shop.place_keyed(BUYER, "key", &body).await;
    assert_eq!(status, 409, "{problem}");
    shop.product.forget(&keyed);
    let (status, placed, _) = shop.place_keyed(BUYER, "key", &body).await;
    assert_eq!(status, 202, "{placed}");
}

#[tokio::test]
async fn two_replicas_delete_many_in_small_steps() {
    let shop = Shop::open().await;
    let copies = "
        INSERT INTO orders (id, user_id, status, flow, items, total_amount, expires_at_us,
                            created_at_us, updated_at_us, confirmed_at_us)
        SELECT gen_random_uuid(), $1, 'CONFIRMED', 'hold', '[{}]', 0, 1, 1, 1, 1
        FROM generate_series(1, 1000)";
    let copies = sqlx::query(copies).bind(BUYER.parse::<uuid::Uuid>().unwrap());
    copies.execute(&shop.pool).await.unwrap();
    let url = shop.database_url.clone();
    let open = || Shop::open_on(&url, &url, shop.product.clone(), &[KEPT]);
    let _replicas = (open().await, open().await);
    eventually(SOON, "all are deleted", async || {
        shop.orders_len().await == 0
    })
    .await;
}

#[tokio::test]
async fn without_a_retention_all_is_kept() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 100);
    let id = confirmed(&shop, &one_line(tea, 1)).await;
    age(&shop).await;
    let url = shop.database_url.clone();
    let keeper = Shop::open_on(&url, &url, shop.product.clone(), &[]).await;
    // An order that expires shows that the replica's background work runs.
    shop.product.set_ttl(3_000_000);
    let other = keeper.placed(&one_line(tea, 1)).await;
    eventually(SOON, "time passes", async || {
        keeper.order(&other).await["status"] == "CANCELLED"
    })
    .await;
    assert_eq!(keeper.order(&id).await["status"], "CONFIRMED");
}
