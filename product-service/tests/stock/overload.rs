//! Overload is answered, not suffered; and what one request costs.

use std::time::Duration;

use futures::future::{join_all, poll_immediate};
use product_service::stock::StockError;
use sql::Engine;
use test_kit::{Postgres, Redis};
use tokio::time::Instant;

use crate::{
    bed::{Bed, order, user},
    shop::{BOUNDS, Bounds, Shop, request},
};

const NARROW: Bounds = Bounds {
    batch_max: 1,
    queue_max: 8,
    ..BOUNDS
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_what_does_not_fit_before_the_gate_is_refused_and_other_products_sell_on() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.bounded_replica(NARROW).await;
    let product = shop.bed.product(1, 100).await;
    let normal = shop.bed.product(2, 1).await;
    let deal = replica.start(product, None).await;
    shop.redis().pause();
    let crowd = join_all((0..20).map(|number| replica.buy(number, product, 1)));
    let others = async {
        // Redis stands still, so this is answered while the crowd waits.
        replica.buy(100, normal, 1).await.unwrap();
        shop.redis().resume();
    };
    let (answers, ()) = tokio::join!(crowd, others);
    let held = answers.iter().filter(|answer| answer.is_ok()).count();
    let is_overload = |answer: &&Result<_, _>| matches!(answer, Err(StockError::Overloaded));
    let overloaded = answers.iter().filter(is_overload).count();
    // Four are under way, half of the queue is one product's.
    assert!((4..=8).contains(&held), "{held} held");
    assert_eq!(held + overloaded, 20);
    let held = i64::try_from(held).unwrap();
    assert_eq!(
        shop.bed.deal(deal).await.sums.held,
        held,
        "nothing taken for the others"
    );
}

#[tokio::test]
async fn promise_7_what_does_not_fit_before_the_ledger_is_refused_and_takes_nothing() {
    let shop = Shop::without_gate(Engine::Postgres).await;
    let (replica, workers, stop) = shop.idle_replica(NARROW).await;
    let product = shop.bed.product(1, 100).await;
    let mut waiting = Vec::new();
    for number in 0..4 {
        let mut buy = Box::pin(replica.buy(number, product, 1));
        assert!(poll_immediate(&mut buy).await.is_none());
        waiting.push(buy);
    }
    let refused = replica.buy(4, product, 1).await;
    assert_eq!(refused.unwrap_err(), StockError::Overloaded);
    // Two of the callers go away before their turn comes.
    waiting.truncate(2);
    tokio::spawn(workers.run(stop));
    for answer in join_all(waiting).await {
        answer.unwrap();
    }
    replica.buy(5, product, 1).await.unwrap();
    assert_eq!(shop.bed.shelf(product).await.sums.held, 3);
}

#[tokio::test]
async fn a_request_whose_deadline_has_passed_takes_nothing() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let (hot, normal) = (shop.bed.product(1, 5).await, shop.bed.product(2, 5).await);
    let deal = replica.start(hot, None).await;
    let passed = Some(Instant::now() - Duration::from_millis(1));
    for (number, product) in [(1, hot), (2, normal)] {
        let wanted = request(order(number), user(number), &[(product, 1)]);
        let answer = replica.stock.decrease(wanted, passed).await;
        assert_eq!(answer.unwrap_err(), StockError::DeadlineExceeded);
    }
    // What is answered now was queued behind it.
    replica.buy(3, hot, 1).await.unwrap();
    replica.buy(4, normal, 1).await.unwrap();
    assert_eq!(shop.bed.deal(deal).await.sums.held, 1);
    assert_eq!(shop.bed.shelf(normal).await.sums.held, 1);
    replica.agrees(hot).await;
}

/// Transactions that have written so far; reading takes no number.
pub(crate) async fn transactions(bed: &Bed) -> i64 {
    let count = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint";
    sqlx::query_scalar(count)
        .fetch_one(bed.postgres())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_request_alone_costs_one_script_call_and_one_commit() {
    // A server of its own: transactions are counted by the server.
    let postgres = Postgres::start_durable().await;
    let shop = Shop {
        bed: Bed::on(postgres.database().await.url).await,
        redis: Some(Redis::start().await),
    };
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 100).await;
    replica.start(product, None).await;
    replica.buy(0, product, 1).await.unwrap();
    for number in 1..=10 {
        let (calls, commits) = (script_calls(&shop).await, transactions(&shop.bed).await);
        replica.buy(number, product, 1).await.unwrap();
        assert_eq!(transactions(&shop.bed).await - commits, 1);
        assert_eq!(script_calls(&shop).await - calls, 1);
    }
}

/// Script calls, not counting those of the keeper's round each second, which loads its script first.
pub(crate) async fn script_calls(shop: &Shop) -> u64 {
    let redis = shop.redis();
    redis.command_calls("evalsha").await - redis.command_calls("script|load").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_wait_together_share_script_calls_and_commits() {
    let postgres = Postgres::start_durable().await;
    let shop = Shop {
        bed: Bed::on(postgres.database().await.url).await,
        redis: Some(Redis::start().await),
    };
    let replicas = [shop.bounded_replica(BOUNDS).await];
    let product = shop.bed.product(1, 1_000).await;
    replicas[0].start(product, None).await;
    let before = transactions(&shop.bed).await;
    let fared = crate::shop::crowd(&replicas, product, 0..640).await;
    assert_eq!(fared.held, 640);
    let commits = transactions(&shop.bed).await - before;
    assert!(commits < 100, "{commits} commits for 640 requests");
}
