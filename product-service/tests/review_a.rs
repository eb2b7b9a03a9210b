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

/// Promise 5 again: `owed` is read by settle alone, so a gate that lost it admits, but gets nothing back.
#[tokio::test]
async fn a_gate_whose_owed_is_gone_gets_released_units_back() {
    let redis = Redis::start().await;
    let bed = bed_on(&redis).await;
    let id = bed.product(1, 500).await;
    bed.deal(&id).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(first(1, &id)).await.unwrap();
    let mut connection = redis.connection().await;
    let _: i64 = redis::cmd("HDEL")
        .arg(format!("hotdeal:stock:{{{id}}}"))
        .arg("owed")
        .query_async(&mut connection)
        .await
        .unwrap();
    let release = RestoreStockRequest {
        order_id: order_id(1),
        reason: "CANCELLED_BY_USER".into(),
    };
    grpc.restore_stock(release).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    assert_eq!(bed.get(&format!("/products/{id}/stock")).await["stock"], 1);
    let held = grpc.decrease_stock(first(2, &id)).await;
    assert!(held.is_ok(), "{held:?}");
}

/// The same for a batch in flight that is not as written.
#[tokio::test]
async fn a_falsified_batch_in_flight_does_not_keep_released_units_from_the_gate() {
    let redis = Redis::start().await;
    let bed = bed_on(&redis).await;
    let id = bed.product(1, 500).await;
    bed.deal(&id).await;
    let mut grpc = bed.grpc().await;
    grpc.decrease_stock(first(1, &id)).await.unwrap();
    let mut connection = redis.connection().await;
    let _: i64 = redis::cmd("HSET")
        .arg(format!("hotdeal:inflight:{{{id}}}"))
        .arg("x")
        .arg("y")
        .query_async(&mut connection)
        .await
        .unwrap();
    let release = RestoreStockRequest {
        order_id: order_id(1),
        reason: "CANCELLED_BY_USER".into(),
    };
    grpc.restore_stock(release).await.unwrap();
    sleep(Duration::from_secs(5)).await;
    let held = grpc.decrease_stock(first(2, &id)).await;
    assert!(held.is_ok(), "{held:?}");
}

/// Promise 7: memory stays flat, the gate's too.
#[tokio::test]
async fn requests_that_the_ledger_refuses_leave_nothing_at_the_gate() {
    let redis = Redis::start().await;
    let bed = bed_on(&redis).await;
    let id = bed.product(10, 500).await;
    let ends_at = SystemClock.now().plus(Duration::from_secs(2));
    let path = format!("/products/{id}/hotdeal/start");
    let (status, body, _) = bed
        .http
        .post(&path, &[], &json!({"ends_at": ends_at}))
        .await;
    assert_eq!(status, 200, "{body}");
    sleep(Duration::from_secs(3)).await;
    let mut grpc = bed.grpc().await;
    for order in 1..=100 {
        grpc.decrease_stock(first(order, &id)).await.unwrap_err();
    }
    sleep(Duration::from_secs(4)).await;
    let mut connection = redis.connection().await;
    let admitted: i64 = redis::cmd("HLEN")
        .arg(format!("hotdeal:admitted:{{{id}}}"))
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(admitted, 0);
}

/// The keeper reads the open deals, then compares them with a table into which a deal that has just
/// started was put meanwhile: it takes the deal for ended, and its gate down.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deal_that_has_just_started_keeps_its_gate() {
    let redis = Redis::start().await;
    let bed = bed_on(&redis).await;
    let mut started = Vec::new();
    let until = tokio::time::Instant::now() + Duration::from_secs(20);
    while tokio::time::Instant::now() < until {
        let some = futures::future::join_all((0..8).map(|_| async {
            let id = bed.product(1, 1).await;
            bed.deal(&id).await;
            id
        }));
        started.extend(some.await);
    }
    sleep(Duration::from_secs(2)).await;
    let mut connection = redis.connection().await;
    let mut gone = Vec::new();
    for id in &started {
        let there: bool = redis::cmd("EXISTS")
            .arg(format!("hotdeal:stock:{{{id}}}"))
            .query_async(&mut connection)
            .await
            .unwrap();
        if !there {
            gone.push(id);
        }
    }
    assert!(
        gone.is_empty(),
        "{} of {} running deals lost their gate",
        gone.len(),
        started.len()
    );
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
