//! A Redis with TLS, whose certificate is one to trust or not.

use std::time::Duration;

use product_service::gate::{Gate, GateOptions, Loaded, Verdict};
use test_kit::{Authority, Redis};

use crate::bed::{Bed, DEAL, request};

fn options(redis: &Redis, authority: &Authority) -> GateOptions {
    GateOptions {
        // A busy machine is no lost Redis.
        response_timeout: Duration::from_secs(10),
        ca_pem: Some(authority.ca_pem()),
        ..GateOptions::new(redis.tls_url())
    }
}

#[tokio::test]
async fn a_gate_works_over_tls_when_its_redis_is_trusted() {
    let authority = Authority::new();
    let redis = Redis::with_tls(&authority.issue()).await;
    let gate = Gate::connect(options(&redis, &authority)).await.unwrap();
    assert!(gate.is_up());
    let bed = Bed::over(redis, gate);
    // Loading takes the pool, admitting the hot connection.
    assert_eq!(bed.load(DEAL, 3, 0, None).await, Loaded::Loaded);
    let verdicts = bed.verdicts(1, &[request(1, 1, 2)]).await;
    assert_eq!(verdicts, [Verdict::Admitted]);
    assert_eq!(bed.settle(0).await.quantity, 1);
}

#[tokio::test]
async fn a_redis_that_is_not_trusted_counts_as_away() {
    let (authority, other) = (Authority::new(), Authority::new());
    let redis = Redis::with_tls(&authority.issue()).await;
    let gate = Gate::connect(options(&redis, &other)).await.unwrap();
    assert!(!gate.is_up());
    let expired = Redis::with_tls(&authority.issue_expired()).await;
    let gate = Gate::connect(options(&expired, &authority)).await.unwrap();
    assert!(!gate.is_up());
    let plain_client = GateOptions {
        url: redis.tls_url().replace("rediss", "redis"),
        ca_pem: None,
        ..options(&redis, &authority)
    };
    let gate = Gate::connect(plain_client).await.unwrap();
    assert!(!gate.is_up());
}
