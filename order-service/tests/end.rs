//! Confirm, cancel and expiry: a hold ends once, and the order follows it.

mod shop;

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use shop::{BUYER, OTHER, Shop, one_line, product::Fault};
use test_kit::eventually;

const SOON: Duration = Duration::from_secs(10);
/// Long enough to place an order in, short enough to wait for.
const SHORT_TTL_US: i64 = 300_000;

#[tokio::test]
async fn a_confirmed_order_is_sold_and_a_second_confirm_changes_nothing() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let path = format!("/orders/{id}/confirm");
    let (status, first, _) = shop.post(&path).await;
    assert_eq!(status, 200);
    assert_eq!(first["status"], "CONFIRMED");
    assert!(first["confirmed_at"].is_string());
    let json = [("x-user-id", BUYER), ("content-type", "application/json")];
    let (status, second, _) = shop.http.post_empty(&path, &json).await;
    assert_eq!((status.as_u16(), &second), (200, &first));
    assert_eq!(shop.order(&id).await, first);
    assert_eq!(shop.product.hold(&id), "sold");
    assert_eq!(shop.product.seen("confirm").len(), 1);
}

#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back_and_a_second_cancel_changes_nothing() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 3)).await;
    let path = format!("/orders/{id}/cancel");
    let words = json!({"reason": "너무 비싸요"});
    let (status, first, _) = shop.http.post(&path, &[("x-user-id", BUYER)], &words).await;
    assert_eq!(status, 200);
    assert_eq!(first["status"], "CANCELLED");
    assert_eq!(first["reason"], "CANCELLED_BY_USER");
    assert_eq!(first["cancel_reason"], "너무 비싸요");
    assert!(first["cancelled_at"].is_string());
    let (status, second, _) = shop.post(&path).await;
    assert_eq!((status.as_u16(), &second), (200, &first));
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn what_is_cancelled_is_not_confirmed() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let cancelled = shop.placed(&one_line(tea, 1)).await;
    shop.post(&format!("/orders/{cancelled}/cancel")).await;
    let (status, problem, _) = shop.post(&format!("/orders/{cancelled}/confirm")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("ILLEGAL_TRANSITION"))
    );
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn of_confirms_and_cancels_at_once_a_cancel_has_the_last_word() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 20);
    for _ in 0..10 {
        let id = shop.placed(&one_line(tea, 1)).await;
        let left = shop.product.left(tea);
        let (confirm, cancel) = (
            format!("/orders/{id}/confirm"),
            format!("/orders/{id}/cancel"),
        );
        let calls = (0..8).map(|n| shop.post(if n % 2 == 0 { &confirm } else { &cancel }));
        let answers = join_all(calls).await;
        let order = shop.order(&id).await;
        assert_eq!(order["status"], "CANCELLED");
        for (n, (status, body, _)) in answers.iter().enumerate() {
            // A confirm was first, or too late; a cancel takes back what was confirmed before it.
            let is_confirm = n % 2 == 0;
            let is_expected = *status == 200 || (is_confirm && *status == 409);
            assert!(is_expected, "{n}: {status} {body}, {order}");
            if !is_confirm {
                assert_eq!(body, &order);
            }
        }
        assert_eq!(shop.product.left(tea), left + 1);
    }
}

#[tokio::test]
async fn an_order_that_nobody_confirms_expires() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.set_ttl(SHORT_TTL_US);
    let id = shop.placed(&one_line(tea, 2)).await;
    eventually(SOON, "the order expires", async || {
        shop.order(&id).await["status"] == "CANCELLED"
    })
    .await;
    let order = shop.order(&id).await;
    assert_eq!(order["reason"], "EXPIRED");
    assert_eq!(order.get("cancel_reason"), None);
    assert_eq!(shop.product.left(tea), 10);
    let (status, problem, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("HOLD_ENDED"))
    );
    let (status, again, _) = shop.post(&format!("/orders/{id}/cancel")).await;
    assert_eq!((status.as_u16(), &again), (200, &order));
}

#[tokio::test]
async fn an_order_does_not_expire_early() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let patient = shop.placed(&one_line(tea, 1)).await;
    shop.product.set_ttl(SHORT_TTL_US);
    let hasty = shop.placed(&one_line(tea, 1)).await;
    eventually(SOON, "the short one expires", async || {
        shop.order(&hasty).await["status"] == "CANCELLED"
    })
    .await;
    assert_eq!(shop.order(&patient).await["status"], "PENDING");
}

#[tokio::test]
async fn a_crash_after_the_sale_leaves_the_order_to_be_confirmed_by_expiry() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.set_ttl(SHORT_TTL_US);
    let id = shop.placed(&one_line(tea, 1)).await;
    // As a process leaves it that dies between `ConfirmStock` and its own update.
    shop.product.end(&id, None);
    eventually(SOON, "the order follows its hold", async || {
        shop.order(&id).await["status"] == "CONFIRMED"
    })
    .await;
    assert_eq!(shop.product.left(tea), 9);
}

#[tokio::test]
async fn a_lost_answer_to_confirm_sells_once() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    shop.product.fail("confirm", Fault::LoseAnswer);
    let (status, order, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(
        (status.as_u16(), &order["status"]),
        (200, &json!("CONFIRMED"))
    );
    assert_eq!(shop.product.seen("confirm").len(), 2);
}

#[tokio::test]
async fn a_confirm_that_stays_unclear_leaves_the_order_pending() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    for _ in 0..3 {
        shop.product.fail("confirm", Fault::LoseAnswer);
    }
    let path = format!("/orders/{id}/confirm");
    let (status, _, headers) = shop.post(&path).await;
    assert_eq!(status, 503);
    assert!(headers.contains_key("retry-after"));
    assert_eq!(shop.order(&id).await["status"], "PENDING");
    // It was sold all the same, so a cancel has to take the sale back.
    let (status, order, _) = shop.post(&format!("/orders/{id}/cancel")).await;
    assert_eq!(
        (status.as_u16(), &order["status"]),
        (200, &json!("CANCELLED"))
    );
    assert!(order["confirmed_at"].is_string());
    assert_eq!(shop.product.hold(&id), "returned");
    assert_eq!(shop.product.left(tea), 10);
}

#[tokio::test]
async fn an_order_whose_hold_was_released_elsewhere_follows_it_with_its_reason() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    shop.product.end(&id, Some("DEAL_WITHDRAWN"));
    let (status, problem, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("HOLD_ENDED"))
    );
    let order = shop.order(&id).await;
    assert_eq!(
        (&order["status"], &order["reason"]),
        (&json!("CANCELLED"), &json!("DEAL_WITHDRAWN"))
    );
}

#[tokio::test]
async fn another_buyer_neither_sees_nor_ends_an_order() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let other = [("x-user-id", OTHER)];
    let (status, problem, _) = shop.http.get(&format!("/orders/{id}"), &other).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (404, &json!("NOT_FOUND"))
    );
    for verb in ["confirm", "cancel"] {
        let (status, ..) = shop
            .http
            .post_empty(&format!("/orders/{id}/{verb}"), &other)
            .await;
        assert_eq!(status, 404);
    }
    assert_eq!(shop.order(&id).await["status"], "PENDING");
    assert_eq!(shop.product.hold(&id), "open");
}

#[tokio::test]
async fn expiry_waits_for_product_service_and_then_goes_on() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.set_ttl(SHORT_TTL_US);
    for _ in 0..3 {
        shop.product.fail("restore", Fault::LoseRequest);
    }
    let id = shop.placed(&one_line(tea, 1)).await;
    let tried = async || shop.product.seen("restore").len() >= 3;
    eventually(SOON, "a release is tried", tried).await;
    assert_eq!(shop.order(&id).await["status"], "PENDING");
    // Its lease runs out, here by hand.
    let free = sqlx::query("UPDATE orders SET lease_until_us = NULL");
    free.execute(&shop.pool).await.unwrap();
    eventually(SOON, "the order expires", async || {
        shop.order(&id).await["status"] == "CANCELLED"
    })
    .await;
}

#[tokio::test]
async fn many_due_orders_all_expire_once_over_two_replicas() {
    let shop = Shop::open().await;
    let replica = Shop::open_on(
        &shop.database_url,
        &shop.database_url,
        shop.product.clone(),
        &[],
    )
    .await;
    let tea = shop.product.add("tea", 5_000, 1_000);
    shop.product.set_ttl(2_000_000);
    let body = one_line(tea, 1);
    let sent = (0..300).map(|n| {
        if n % 2 == 0 {
            shop.place(&body)
        } else {
            replica.place(&body)
        }
    });
    for (status, order, _) in join_all(sent).await {
        assert_eq!(status, 202, "{order}");
    }
    eventually(Duration::from_secs(30), "all expire", async || {
        let done =
            sqlx::query_scalar::<_, i64>("SELECT count(*) FROM orders WHERE reason = 'EXPIRED'");
        done.fetch_one(&shop.pool).await.unwrap() == 300
    })
    .await;
    assert_eq!(shop.product.left(tea), 1_000);
    assert_eq!(shop.product.seen("restore").len(), 300);
}

#[tokio::test]
async fn an_order_whose_hold_is_unknown_to_the_ledger_cannot_be_confirmed() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    shop.product.forget(&id);
    let (status, problem, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (409, &json!("HOLD_ENDED"))
    );
    assert_eq!(shop.order(&id).await["status"], "CANCELLED");
    assert_eq!(shop.product.hold(&id), "EXPIRED");
}
