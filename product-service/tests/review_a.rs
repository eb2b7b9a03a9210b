//! Findings of review A. Each test here fails until its finding is dealt with.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "failing tests of a review"
)]

#[path = "wire/bed.rs"]
mod bed;

use std::time::Duration;

use bed::{Bed, decrease, item, order_id};
use domain::{Clock as _, SystemClock};
use product_api::{DecreaseStockRequest, RestoreStockRequest};
use serde_json::json;
use test_kit::Redis;
use tokio::time::sleep;

async fn bed_on(redis: &Redis) -> Bed {
    Bed::with(&[("REDIS_URL", &redis.url())]).await
}

fn first(order: u32, product: &str) -> DecreaseStockRequest {
    DecreaseStockRequest {
        first_attempt: true,
        ..decrease(order, vec![item(product, 1)])
    }
}

/// Promise 3: one order id, concurrently, through two replicas. The second transaction looks for the
/// hold, finds none, waits for the deal, and then decides as if there still were none.
async fn the_same_order_through_two_replicas(redis: &str, terms: serde_json::Value) {
    let own = [("HOTDEAL_STOCK_REDIS", redis)];
    let one = Bed::with(&own).await;
    let url = one.database.url.clone();
    let two = Bed::with(&[own[0], ("DATABASE_URL", url.as_str())]).await;
    let (a, b) = (one.grpc().await, two.grpc().await);
    let mut refusals = Vec::new();
    for round in 1..=60 {
        let id = one.product(1, 500).await;
        let path = format!("/products/{id}/hotdeal/start");
        let (status, body, _) = one.http.post(&path, &[], &terms).await;
        assert_eq!(status, 200, "{body}");
        let request = decrease(round, vec![item(&id, 1)]);
        // Both know the route, so that they meet in the ledger.
        two.http.post(&path, &[], &terms).await;
        let (mut a, mut b) = (a.clone(), b.clone());
        let (first, second) = tokio::join!(
            a.decrease_stock(request.clone()),
            b.decrease_stock(request.clone())
        );
        for answer in [first, second] {
            if let Err(status) = answer {
                refusals.push(bed::reason_of(&status));
            }
        }
    }
    assert!(
        refusals.is_empty(),
        "{} of 60 orders that hold their unit were told that they do not: {refusals:?}",
        refusals.len()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_holds_the_last_unit_does_not_hear_that_it_is_gone() {
    the_same_order_through_two_replicas("false", json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_holds_a_unit_does_not_hear_of_his_limit() {
    let terms = json!({"per_user_limit": 1});
    the_same_order_through_two_replicas("false", terms).await;
}

/// Connections that go silent without an end (the host is gone, a NAT forgot them) while new ones work:
/// the one worker of the ledger waits for an answer for as long as the kernel retransmits.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_connection_that_goes_silent_does_not_stop_the_ledger() {
    let database = test_kit::Postgres::shared().database().await;
    let url = reqwest::Url::parse(&database.url).unwrap();
    let upstream = (
        url.host_str().unwrap().to_owned(),
        url.port().unwrap_or(5432),
    );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (silence, silent) = tokio::sync::watch::channel(false);
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let (upstream, mut silent) = (upstream.clone(), silent.clone());
            silent.mark_unchanged();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(upstream).await.unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                    _ = silent.changed() => {
                        drop(server);
                        let _client = client;
                        std::future::pending::<()>().await;
                    }
                }
            });
        }
    });
    let mut through = url.clone();
    through.set_host(Some("127.0.0.1")).unwrap();
    through.set_port(Some(port)).unwrap();
    let bed = Bed::with(&[
        ("HOTDEAL_STOCK_REDIS", "false"),
        ("DATABASE_URL", through.as_str()),
        ("DATABASE_CONNECTIONS_MAX", "4"),
    ])
    .await;
    let id = bed.product(100, 500).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(decrease(1, vec![item(&id, 1)]))
        .await
        .unwrap();
    silence.send(true).unwrap();
    let mut last = None;
    for order in 2..=5 {
        let held = grpc
            .decrease_stock(decrease(order, vec![item(&id, 1)]))
            .await;
        if held.is_ok() {
            return;
        }
        last = Some(held);
    }
    panic!("no answer for 40 s, though new connections work: {last:?}");
}
