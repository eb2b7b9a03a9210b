//! `GET /orders/{id}/events`: whoever waits is told.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod shop;

use std::time::Duration;

use serde_json::json;
use shop::{
    BUYER, OTHER, Shop,
    events::{Events, ask},
    one_line,
    product::Fault,
};
use test_kit::eventually;

const SOON: Duration = Duration::from_secs(20);

impl Shop {
    fn events_url(&self, id: &str) -> String {
        self.http.url(&format!("/orders/{id}/events"))
    }

    async fn events(&self, id: &str) -> Events {
        Events::open(ask(self.events_url(id), BUYER, None)).await
    }

    /// The status that another stream of `buyer` is answered with.
    async fn events_status(&self, id: &str, buyer: &str, seen: Option<&str>) -> u16 {
        let answer = ask(self.events_url(id), buyer, seen).send().await.unwrap();
        answer.status().as_u16()
    }
}

#[tokio::test]
async fn a_stream_tells_the_order_as_it_stands_then_its_confirmation_and_ends() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let mut events = shop.events(&id).await;
    let headers = events.response.headers();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store");
    assert_eq!(events.order().await, shop.order(&id).await);
    let (status, confirmed, _) = shop.post(&format!("/orders/{id}/confirm")).await;
    assert_eq!(status, 200);
    let last = events.next().await.unwrap();
    assert_eq!((last.name.as_str(), &last.data), ("order", &confirmed));
    assert_eq!(events.next().await, None);
    // A browser comes back by itself, and is told to stay away.
    let again = shop.events_status(&id, BUYER, Some(&last.id)).await;
    assert_eq!(again, 204);
    // Whoever has not seen it is told, and that was all.
    let mut late = Events::open(ask(shop.events_url(&id), BUYER, Some("0"))).await;
    assert_eq!(late.next().await, Some(last));
    assert_eq!(late.next().await, None);
}

#[tokio::test]
async fn a_change_by_another_replica_and_by_expiry_is_told() {
    let shop = Shop::open().await;
    let url = shop.database_url.clone();
    let replica = Shop::open_on(&url, &url, shop.product.clone(), &[]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let mut events = shop.events(&id).await;
    assert_eq!(events.order().await["status"], "PENDING");
    let (_, cancelled, _) = replica.post(&format!("/orders/{id}/cancel")).await;
    assert_eq!(events.order().await, cancelled);
    assert_eq!(events.next().await, None);

    shop.product.set_ttl(3_000_000);
    let id = shop.placed(&one_line(tea, 1)).await;
    let mut events = (shop.events(&id).await, replica.events(&id).await);
    for events in [&mut events.0, &mut events.1] {
        let mut order = events.order().await;
        if order["status"] == "PENDING" {
            order = events.order().await;
        }
        assert_eq!(order["reason"], "EXPIRED");
        assert_eq!(events.next().await, None);
    }
}

#[tokio::test]
async fn a_sale_that_is_being_cancelled_is_told_to_its_end() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    shop.post(&format!("/orders/{id}/confirm")).await;
    for _ in 0..3 {
        shop.product.fail("take_back", Fault::LoseRequest);
    }
    let path = format!("/orders/{id}/cancel");
    let (status, ..) = shop.post(&path).await;
    assert_eq!(status, 503);
    let mut events = shop.events(&id).await;
    let between = events.order().await;
    assert_eq!(between["status"], "CONFIRMED");
    assert!(between["cancel_requested_at"].is_string());
    shop.post(&path).await;
    assert_eq!(events.order().await["status"], "CANCELLED");
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn whoever_comes_back_is_told_what_he_has_missed_and_nothing_twice() {
    let shop = Shop::open_with(&["--order-stream-age-max=500ms"]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let mut events = shop.events(&id).await;
    let first = events.next().await.unwrap();
    assert_eq!(events.next().await, None, "it is too old");
    let mut again = Events::open(ask(shop.events_url(&id), BUYER, Some(&first.id))).await;
    assert_eq!(again.next().await, None, "nothing has happened");
    shop.post(&format!("/orders/{id}/confirm")).await;
    let mut again = Events::open(ask(shop.events_url(&id), BUYER, Some(&first.id))).await;
    assert_eq!(again.order().await["status"], "CONFIRMED");
    // An id of somebody else's making counts for nothing.
    let mut odd = Events::open(ask(shop.events_url(&id), BUYER, Some("x"))).await;
    assert_eq!(odd.order().await["status"], "CONFIRMED");
}

#[tokio::test]
async fn a_stream_outlives_the_time_that_a_request_may_take() {
    let shop = Shop::open().await;
    let url = shop.database_url.clone();
    let hasty = ["--request-timeout=1s"];
    let replica = Shop::open_on(&url, &url, shop.product.clone(), &hasty).await;
    let tea = shop.product.add("tea", 5_000, 10);
    shop.product.set_ttl(5_000_000);
    let id = shop.placed(&one_line(tea, 1)).await;
    let mut events = replica.events(&id).await;
    assert_eq!(events.order().await["status"], "PENDING");
    assert_eq!(events.order().await["reason"], "EXPIRED");
}

#[tokio::test]
async fn another_buyers_order_has_no_events() {
    let shop = Shop::open().await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    assert_eq!(shop.events_status(&id, OTHER, None).await, 404);
    let unknown = "0192f0c1-7b5e-7000-8000-0000000000ff";
    assert_eq!(shop.events_status(unknown, BUYER, None).await, 404);
    assert_eq!(shop.events_status("x", BUYER, None).await, 422);
    assert_eq!(shop.events_status(&id, "nobody", None).await, 401);
}

#[tokio::test]
async fn streams_are_bounded_by_buyer_and_in_all_and_a_closed_one_makes_room() {
    let shop = Shop::open_with(&["--order-streams-max=9"]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let mut open = Vec::new();
    for _ in 0..8 {
        open.push(shop.events(&id).await);
    }
    let (status, problem, headers) = shop.get(&format!("/orders/{id}/events")).await;
    assert_eq!(
        (status.as_u16(), &problem["error"]),
        (429, &json!("RATE_LIMITED"))
    );
    assert!(headers.contains_key("retry-after"));
    let (_, other, _) = shop.place_keyed(OTHER, "k", &one_line(tea, 1)).await;
    let other = other["id"].as_str().unwrap();
    let last = Events::open(ask(shop.events_url(other), OTHER, None)).await;
    let answer = ask(shop.events_url(other), OTHER, None);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    drop((open, last));
    eventually(SOON, "there is room again", async || {
        shop.events_status(other, OTHER, None).await == 200
    })
    .await;
}

#[tokio::test]
async fn a_stop_ends_the_streams_and_is_not_held_up_by_them() {
    let mut shop = Shop::open_with(&["--drain-timeout=1h"]).await;
    let tea = shop.product.add("tea", 5_000, 10);
    let id = shop.placed(&one_line(tea, 1)).await;
    let mut events = shop.events(&id).await;
    events.order().await;
    shop.stop();
    assert_eq!(events.next().await, None);
    (&mut shop.ended).await.unwrap().unwrap();
}
