//! What is over is deleted once it was kept long enough, and nothing else.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use product_service::{
    ledger::{
        command::{Command, Outcome},
        hold::HoldEnd,
    },
    store::retain::Old,
    workers::Retention,
};
use sql::Engine;
use test_kit::eventually;
use uuid::Uuid;

use crate::{
    bed::{BUYER, Bed, HOUR, admitted, buy, deal_line, gate_line, new_id, order, restore, taken},
    shop::{SOON, Shop},
};

fn take_back(number: u128) -> Command {
    Command::Return {
        order_id: order(number),
        reason: "CANCELLED_BY_USER".into(),
    }
}

const DAY_S: u64 = 86_400;
const DAY: Duration = Duration::from_secs(DAY_S);

async fn count(bed: &Bed, table: &str) -> i64 {
    let count = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
    sql::read!(&bed.database, |pool| {
        sqlx::query_scalar(count).fetch_one(pool).await.unwrap()
    })
}

/// Everything there is becomes so much older.
async fn age(bed: &Bed, by: Duration) {
    let us = by.as_micros();
    for statement in [
        format!("UPDATE holds SET ended_at_us = ended_at_us - {us}"),
        format!("UPDATE deals SET ended_at_us = ended_at_us - {us}"),
        format!("UPDATE batches SET recorded_at_us = recorded_at_us - {us}"),
    ] {
        bed.by_hand(&statement).await.unwrap();
    }
}

/// A deal of 10 units with a limit, that has ended: order 1 sold, 2 released, 3 open, 4 buried.
async fn ended_deal(bed: &Bed) -> (domain::ProductId, domain::DealId) {
    let hot = bed.hot_product(1, 10, Some(5)).await;
    for number in 1..=3 {
        taken(&bed.ask(buy(number, vec![deal_line(hot, 1)])).await);
    }
    bed.ask(Command::Confirm(order(1))).await;
    bed.ask(restore(2)).await;
    bed.ask(restore(4)).await;
    bed.ask(Command::EndDeal(hot.1)).await;
    hot
}

async fn only_ended_holds_that_were_kept_long_enough_are_deleted(engine: Engine) {
    let bed = Bed::new(engine).await;
    ended_deal(&bed).await;
    let delete = async |age| bed.store.delete_old(Old::Holds, age, 100).await.unwrap();
    assert_eq!(delete(HOUR).await, 0);
    age(&bed, HOUR).await;
    assert_eq!(delete(HOUR).await, 3, "sold, released, buried");
    let (open, _) = bed.store.find_holds(&[order(3)]).await.unwrap();
    assert!(open.contains_key(&order(3)));
    assert_eq!(count(&bed, "holds").await, 1);
    assert!(matches!(
        bed.ask(restore(3)).await,
        Outcome::Ended(HoldEnd::Released { .. })
    ));
}

async fn the_oldest_go_first_and_no_more_than_asked_for(engine: Engine) {
    let bed = Bed::new(engine).await;
    for number in 1..=7 {
        bed.ask(restore(number)).await;
        age(&bed, HOUR).await;
    }
    let delete = async || bed.store.delete_old(Old::Holds, HOUR, 3).await.unwrap();
    assert_eq!(delete().await, 3);
    let left: Vec<_> = (1..=7).map(order).collect();
    let (left, _) = bed.store.find_holds(&left).await.unwrap();
    assert_eq!(left.len(), 4);
    assert!((4..=7).all(|number| left.contains_key(&order(number))));
    assert_eq!((delete().await, delete().await), (3, 1));
}

async fn buyers_are_counted_until_no_hold_of_their_deal_can_be_left(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = ended_deal(&bed).await;
    let running = bed.hot_product(2, 10, Some(5)).await;
    taken(&bed.ask(buy(9, vec![deal_line(running, 1)])).await);
    let delete = async |age| bed.store.delete_old(Old::Buyers, age, 100).await.unwrap();
    assert_eq!(delete(HOUR).await, 0);
    age(&bed, HOUR).await;
    assert_eq!(delete(HOUR).await, 1);
    let both = [(hot.1, BUYER), (running.1, BUYER)];
    let left = bed.store.find_buyers(&both).await.unwrap();
    assert!(left.contains_key(&both[1]) && !left.contains_key(&both[0]));
}

/// As after a shop stood still for weeks: deleting may come before the release of what expired meanwhile.
async fn a_hold_that_outlived_the_count_of_its_buyer_is_released_all_the_same(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = ended_deal(&bed).await;
    age(&bed, HOUR).await;
    let deleted = bed.store.delete_old(Old::Buyers, HOUR, 100).await;
    assert_eq!(deleted.unwrap(), 1);
    for late in [restore(3), take_back(1)] {
        let freed = bed.ask(late).await;
        let is_free = matches!(
            freed,
            Outcome::Ended(HoldEnd::Released { .. } | HoldEnd::Returned { .. })
        );
        assert!(is_free, "{freed:?}");
    }
    let (deal, shelf) = (bed.deal(hot.1).await.sums, bed.shelf(hot.0).await.sums);
    assert_eq!((deal.held, deal.sold, shelf.available), (0, 0, 10));
    assert_eq!(count(&bed, "deal_buyers").await, 0);
}

/// The argument stands with `Retention::BATCHES_MIN`.
async fn promise_5_a_void_batch_that_was_forgotten_and_comes_back_leaves_the_gate_too_high_at_worst(
    engine: Engine,
) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, None).await;
    let batch = new_id();
    bed.store.void(batch, hot.1, 3).await.unwrap();
    age(&bed, HOUR).await;
    let deleted = bed.store.delete_old(Old::Batches, HOUR, 100).await;
    assert_eq!(
        deleted.unwrap(),
        2,
        "the batch, and the deal's own transaction"
    );
    let late = admitted(&[(batch, hot.0)], vec![buy(1, vec![gate_line(hot, 3)])]);
    let settled = bed.settle(&[late]).await;
    taken(&settled.outcomes[0][0]);
    let deal = bed.deal(hot.1).await;
    assert!(deal.sums.is_sound());
    assert_eq!((deal.sums.available, deal.sums.held), (7, 3));
    assert_eq!(deal.owed, 3, "the gate was given back what it now lacks");
}

async fn a_replica_deletes_by_itself_and_counts_what_it_deleted(engine: Engine) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let shop = Shop::without_gate(engine).await;
    ended_deal(&shop.bed).await;
    // As many as take several statements.
    let many = match engine {
        Engine::Postgres => {
            "INSERT INTO batches SELECT gen_random_uuid(), false, 0 FROM generate_series(1, 1200)"
        }
        Engine::Sqlite => {
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1200)
             INSERT INTO batches SELECT randomblob(16), 0, 0 FROM n"
        }
    };
    shop.bed.by_hand(many).await.unwrap();
    let kept = Retention::default();
    age(&shop.bed, kept.holds + 2 * DAY).await;
    let _replica = shop.replica().await;
    for (table, line) in [
        ("holds", "retention_deleted_total{table=\"holds\"} 3"),
        (
            "deal_buyers",
            "retention_deleted_total{table=\"deal_buyers\"} 1",
        ),
        ("batches", "retention_deleted_total{table=\"batches\"} 12"),
    ] {
        eventually(SOON, table, || async { metrics.render().contains(line) }).await;
    }
    assert_eq!(count(&shop.bed, "batches").await, 0);
    assert_eq!(count(&shop.bed, "holds").await, 1);
}

/// SQLite has one writer, who waits for nobody.
#[tokio::test]
async fn deleting_passes_by_a_row_that_a_transaction_is_at() {
    let bed = Bed::new(Engine::Postgres).await;
    bed.ask_all(vec![restore(1), restore(2)]).await;
    age(&bed, HOUR).await;
    let mut busy = bed.postgres().begin().await.unwrap();
    sqlx::query("SELECT * FROM holds WHERE order_id = $1 FOR UPDATE")
        .bind(Uuid::from_u128(1))
        .execute(&mut *busy)
        .await
        .unwrap();
    let delete = async || bed.store.delete_old(Old::Holds, HOUR, 100).await.unwrap();
    assert_eq!(delete().await, 1);
    busy.rollback().await.unwrap();
    assert_eq!(delete().await, 1);
}

test_kit::on_both_engines! {
    tokio::test: only_ended_holds_that_were_kept_long_enough_are_deleted,
        the_oldest_go_first_and_no_more_than_asked_for,
        buyers_are_counted_until_no_hold_of_their_deal_can_be_left,
        a_hold_that_outlived_the_count_of_its_buyer_is_released_all_the_same,
        promise_5_a_void_batch_that_was_forgotten_and_comes_back_leaves_the_gate_too_high_at_worst,
        a_replica_deletes_by_itself_and_counts_what_it_deleted;
}
