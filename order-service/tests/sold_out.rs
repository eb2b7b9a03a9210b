//! What product-service said is sold out is refused without asking it again, for a moment, and never to somebody
//! who may hold a unit or after a unit came back by way of this process.

mod shop;

use std::time::Duration;

use serde_json::{Value, json};
use shop::{BUYER, Shop, one_line};
use test_kit::{eventually, http::Answer};
use uuid::Uuid;

const SOON: Duration = Duration::from_secs(10);
/// The longest that anybody may believe it.
const MEMORY_MS: u64 = 50;

/// A shop with one unit of tea, and product-service saying how long it remembers.
async fn one_tea() -> (Shop, Uuid) {
    let shop = Shop::open().await;
    shop.product.set_sold_out_ms(MEMORY_MS);
    let tea = shop.product.add("tea", 5_000, 1);
    (shop, tea)
}

fn calls(shop: &Shop) -> usize {
    shop.product.seen("decrease").len()
}

fn is_sold_out((status, problem, _): &Answer) -> bool {
    *status == 409 && problem["error"] == "OUT_OF_STOCK"
}

/// Whether an order that is refused as sold out costs no call; the one before it has just been refused.
async fn is_refused_without_a_call(shop: &Shop, body: &Value) -> bool {
    assert!(is_sold_out(&shop.place(body).await));
    let before = calls(shop);
    assert!(is_sold_out(&shop.place(body).await));
    calls(shop) == before
}

#[tokio::test]
async fn who_comes_after_the_last_unit_is_refused_without_a_call_and_in_the_same_words() {
    let (shop, tea) = one_tea().await;
    let body = one_line(tea, 1);
    shop.placed(&body).await;
    let (status, asked, asked_headers) = shop.place(&body).await;
    // A machine that is busy may take longer than the memory lasts.
    eventually(SOON, "a refusal without a call", async || {
        is_refused_without_a_call(&shop, &body).await
    })
    .await;
    let (status_now, remembered, headers) = shop.place(&body).await;
    assert_eq!((status_now, remembered), (status, asked));
    for name in ["content-type", "retry-after"] {
        assert_eq!(headers.get(name), asked_headers.get(name), "{name}");
    }
}

#[tokio::test]
async fn an_order_of_several_lines_is_refused_for_the_one_that_is_sold_out() {
    let (shop, tea) = one_tea().await;
    let coffee = shop.product.add("coffee", 6_000, 100);
    shop.placed(&one_line(tea, 1)).await;
    let body = json!({"items": [
        {"product_id": coffee, "quantity": 1}, {"product_id": tea, "quantity": 1},
    ]});
    eventually(SOON, "a refusal without a call", async || {
        is_refused_without_a_call(&shop, &body).await
    })
    .await;
    assert_eq!(shop.product.left(coffee), 100);
    shop.placed(&one_line(coffee, 1)).await;
}

#[tokio::test]
async fn a_unit_that_comes_back_through_this_process_is_sold_at_once() {
    let (shop, tea) = one_tea().await;
    let body = one_line(tea, 1);
    let mut id = shop.placed(&body).await;
    for round in 0..20 {
        assert!(is_sold_out(&shop.place(&body).await));
        if round % 2 == 1 {
            let (status, order, _) = shop.post(&format!("/orders/{id}/confirm")).await;
            assert_eq!(status, 200, "{order}");
        }
        let (status, order, _) = shop.post(&format!("/orders/{id}/cancel")).await;
        assert_eq!(status, 200, "{order}");
        id = shop.placed(&body).await;
    }
}

#[tokio::test]
async fn a_unit_whose_order_expired_is_sold() {
    let (shop, tea) = one_tea().await;
    let body = one_line(tea, 1);
    shop.product.set_ttl(100_000);
    shop.placed(&body).await;
    eventually(SOON, "the unit is sold again", async || {
        let answer = shop.place(&body).await;
        assert!(answer.0 == 202 || is_sold_out(&answer), "{answer:?}");
        answer.0 == 202
    })
    .await;
}

#[tokio::test]
async fn units_that_come_back_elsewhere_are_sold_once_the_memory_is_over() {
    let (shop, tea) = one_tea().await;
    let body = one_line(tea, 1);
    shop.placed(&body).await;
    assert!(is_sold_out(&shop.place(&body).await));
    shop.product.restock(tea, 1);
    eventually(SOON, "the unit is sold", async || {
        shop.place(&body).await.0 == 202
    })
    .await;
}

#[tokio::test]
async fn with_a_key_product_service_is_always_asked() {
    let (shop, tea) = one_tea().await;
    let body = one_line(tea, 1);
    let (status, won, _) = shop.place_keyed(BUYER, "winner", &body).await;
    assert_eq!(status, 202, "{won}");
    for number in 0..10 {
        assert!(is_sold_out(&shop.place(&body).await));
        let before = calls(&shop);
        let loser = shop
            .place_keyed(BUYER, &format!("loser-{number}"), &body)
            .await;
        assert!(is_sold_out(&loser), "{loser:?}");
        assert_eq!(calls(&shop), before + 1);
        let again = shop.place_keyed(BUYER, "winner", &body).await;
        assert_eq!((again.0.as_u16(), &again.1["id"]), (202, &won["id"]));
    }
}

#[tokio::test]
async fn too_little_is_not_remembered() {
    let shop = Shop::open().await;
    shop.product.set_sold_out_ms(MEMORY_MS);
    let tea = shop.product.add("tea", 5_000, 2);
    for asked in 1..=20 {
        assert!(is_sold_out(&shop.place(&one_line(tea, 3)).await));
        assert_eq!(calls(&shop), asked);
    }
    shop.placed(&one_line(tea, 2)).await;
}

#[tokio::test]
async fn where_product_service_remembers_nothing_it_is_always_asked() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 1);
    shop.placed(&one_line(tea, 1)).await;
    for asked in 1..=20 {
        assert!(is_sold_out(&shop.place(&one_line(tea, 1)).await));
        assert_eq!(calls(&shop), asked + 1);
    }
}
