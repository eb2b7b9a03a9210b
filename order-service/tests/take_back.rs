//! Cancelling a confirmed order: the intent is stored, the units return, the order is cancelled.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod shop;

use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use shop::{BUYER, Shop, one_line, product::Fault};
use test_kit::eventually;

const SOON: Duration = Duration::from_secs(20);

/// An order of three units, confirmed.
async fn confirmed(shop: &Shop, tea: uuid::Uuid) -> (String, Value) {
    let id = shop.placed(&one_line(tea, 3)).await;
    let (status, order, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(status, 200, "{order}");
    (id, order)
}

/// Frees the lease of whoever began, as time does.
async fn forget_leases(shop: &Shop) {
    let free = sqlx::query("UPDATE orders SET lease_until_us = NULL");
    free.execute(&shop.pool).await.unwrap();
}

async fn is_cancelled(shop: &Shop, id: &str) -> bool {
    shop.order(id).await["status"] == "CANCELLED"
}

#[tokio::test]
async fn a_confirmed_order_that_is_cancelled_gives_its_units_back_once() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let (id, sold) = confirmed(&shop, tea).await;
    let path = format!("/orders/{id}/cancel");
    let words = json!({"reason": "마음이 바뀌었어요"});
    let (status, first, _) = shop.http.post(&path, &[("x-user-id", BUYER)], &words).await;
    assert_eq!(status, 200, "{first}");
    assert_eq!(first["status"], "CANCELLED");
    assert_eq!(first["reason"], "CANCELLED_BY_USER");
    assert_eq!(first["cancel_reason"], "마음이 바뀌었어요");
    assert_eq!(first["confirmed_at"], sold["confirmed_at"]);
    assert!(first["cancelled_at"].is_string());
    assert_eq!(first.get("cancel_requested_at"), None);
    let (status, second, _) = shop.post(&path).await;
    assert_eq!((status.as_u16(), &second), (200, &first));
    assert_eq!(shop.order(&id).await, first);
    let (status, problem, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("ILLEGAL_TRANSITION"))
    );
    assert_eq!(shop.product.left(tea), 10);
    assert_eq!(shop.product.seen("take_back").len(), 1);
}

#[tokio::test]
async fn while_the_units_are_on_their_way_every_reader_sees_a_confirmed_order_that_is_to_be_cancelled()
 {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let (id, _) = confirmed(&shop, tea).await;
    for _ in 0..3 {
        shop.product.fail("take_back", Fault::LoseRequest);
    }
    let path = format!("/orders/{id}/cancel");
    let words = json!({"reason": "too dear"});
    let (status, _, headers) = shop.http.post(&path, &[("x-user-id", BUYER)], &words).await;
    assert_eq!(status, 503);
    assert!(headers.contains_key("retry-after"));
    let read = shop.order(&id).await;
    assert_eq!(read["status"], "CONFIRMED");
    assert!(read["cancel_requested_at"].is_string(), "{read}");
    assert_eq!(read["cancel_reason"], "too dear");
    let (_, list, _) = shop.get("/orders?status=CONFIRMED").await;
    assert_eq!(list["items"], json!([read]));
    let (status, problem, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("ILLEGAL_TRANSITION"))
    );
    // The buyer may ask again; nobody has to.
    forget_leases(&shop).await;
    eventually(SOON, "it is ended by itself", async || {
        is_cancelled(&shop, &id).await
    })
    .await;
    let order = shop.order(&id).await;
    assert_eq!(order["cancel_reason"], "too dear");
    assert_eq!(order.get("cancel_requested_at"), None);
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn a_second_cancel_ends_what_the_first_began() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let (id, _) = confirmed(&shop, tea).await;
    for _ in 0..3 {
        shop.product.fail("take_back", Fault::LoseAnswer);
    }
    let path = format!("/orders/{id}/cancel");
    let (status, ..) = shop.post(&path).await;
    assert_eq!(status, 503);
    assert_eq!(shop.product.left(tea), 10, "the units are back already");
    let (status, order, _) = shop.post(&path).await;
    assert_eq!(
        (status.as_u16(), &order["status"]),
        (200, &json!("CANCELLED"))
    );
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn a_sale_that_product_service_has_forgotten_cannot_be_cancelled_and_stays_confirmed() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let (id, sold) = confirmed(&shop, tea).await;
    shop.product.forget(&id);
    let (status, problem, _) = shop.post(&format!("/orders/{id}/cancel")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("ILLEGAL_TRANSITION"))
    );
    let mut order = shop.order(&id).await;
    order["updated_at"] = sold["updated_at"].clone();
    assert_eq!(order, sold);
    assert_eq!(shop.product.hold(&id), "none", "nothing is buried");
}

#[tokio::test]
async fn many_cancels_over_two_replicas_return_the_units_once() {
    let shop = Shop::open().await;
    let url = shop.database_url.clone();
    let replica = Shop::open_on(&url, &url, shop.product.clone(), &[]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    let (id, _) = confirmed(&shop, tea).await;
    let path = format!("/orders/{id}/cancel");
    let calls = (0..20).map(|n| if n % 2 == 0 { &shop } else { &replica });
    let answers = join_all(calls.map(|at| at.post(&path))).await;
    let order = shop.order(&id).await;
    for (status, body, _) in answers {
        assert_eq!((status.as_u16(), &body), (200, &order));
    }
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn a_cancel_that_is_under_way_is_left_to_who_began_it() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let (id, _) = confirmed(&shop, tea).await;
    for _ in 0..3 {
        shop.product.fail("take_back", Fault::LoseRequest);
    }
    shop.post(&format!("/orders/{id}/cancel")).await;
    // However slow this machine is; a lease that was never taken stays none.
    let longer = "UPDATE orders SET lease_until_us = lease_until_us + 3600000000";
    sqlx::query(longer).execute(&shop.pool).await.unwrap();
    // Another order's expiry shows that the sweeper has passed by.
    shop.product.set_ttl(300_000);
    let other = shop.placed(&one_line(tea, 1)).await;
    eventually(SOON, "the sweeper passes", async || {
        is_cancelled(&shop, &other).await
    })
    .await;
    assert_eq!(shop.product.seen("take_back").len(), 3);
    assert!(!is_cancelled(&shop, &id).await);
}
