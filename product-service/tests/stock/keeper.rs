//! What happens by itself. One thread a test, so that each has its own metrics.

use metrics_exporter_prometheus::PrometheusBuilder;
use product_service::{ledger::command::Command, stock::StockError};
use sql::Engine;
use test_kit::eventually;

use crate::{
    bed::order,
    shop::{SOON, Shop, refusal},
};
use product_service::ledger::command::Refusal;

async fn promise_4_a_hold_that_nobody_ended_is_released_a_minute_after_its_deadline(
    engine: Engine,
) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let (hot, normal) = (shop.bed.product(1, 10).await, shop.bed.product(2, 10).await);
    let deal = replica.start(hot, None).await;
    for (number, product) in [(1, hot), (2, normal), (3, normal), (4, hot)] {
        replica.buy(number, product, 1).await.unwrap();
    }
    replica.stock.confirm(order(4), None).await.unwrap();
    let late = |number: u128, seconds: i64| {
        let order_id = shop.bed.literal(order(number).0);
        format!(
            "UPDATE holds SET expires_at_us = (SELECT now_us FROM clock) - {seconds} * 1000000 \
             WHERE order_id = {order_id}"
        )
    };
    shop.bed.by_hand(&late(3, 30)).await.unwrap();
    for number in [1, 2, 4] {
        shop.bed.by_hand(&late(number, 61)).await.unwrap();
    }
    eventually(SOON, "both overdue holds are released", || async {
        let sums = (
            shop.bed.deal(deal).await.sums,
            shop.bed.shelf(normal).await.sums,
        );
        (sums.0.held, sums.1.held) == (0, 1)
    })
    .await;
    let sums = shop.bed.deal(deal).await.sums;
    assert_eq!(
        (sums.available, sums.sold),
        (9, 1),
        "what is sold stays sold"
    );
    // The one in its grace cannot be confirmed any more, but still be restored by its order.
    let confirmed = replica.stock.confirm(order(3), None).await;
    assert_eq!(refusal(confirmed), Refusal::HoldEnded);
    let unknown = replica.stock.confirm(order(99), None).await;
    assert_eq!(unknown.unwrap_err(), StockError::NotFound);
    replica.restore(3).await;
    assert_eq!(shop.bed.shelf(normal).await.sums.held, 0);
    replica.agrees(hot).await;
}

async fn drift_and_open_holds_are_published(engine: Engine) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let deal = replica.start(product, None).await;
    replica.buy(1, product, 1).await.unwrap();
    let shows = |line: &str| {
        let (metrics, line) = (metrics.clone(), line.to_owned());
        async move {
            let is_shown = || async { metrics.render().lines().any(|shown| shown == line) };
            eventually(SOON, &line, is_shown).await;
        }
    };
    shows("open_holds 1").await;
    shows("gate_drift_units{sign=\"high\"} 0").await;
    shop.by_hand(product, "HSET hotdeal:stock:{p} quantity 14")
        .await;
    shows("gate_drift_units{sign=\"high\"} 5").await;
    shop.by_hand(product, "HSET hotdeal:stock:{p} quantity 2")
        .await;
    shows("gate_raised_total 1").await;
    shows("gate_drift_units{sign=\"low\"} 0").await;
    assert_eq!(shop.bed.deal(deal).await.sums.available, 9);
}

async fn a_gate_that_is_too_low_is_raised_while_its_deal_sells(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    replica.start(product, None).await;
    shop.by_hand(product, "HINCRBY hotdeal:stock:{p} quantity -5")
        .await;
    let mut number = 0;
    // Whenever the gate is read, it is not as it was the last time.
    eventually(SOON, "the gate is right", || {
        number += 1;
        let replica = &replica;
        async move {
            replica.buy(number, product, 1).await.unwrap();
            replica.restore(number).await;
            replica.deals.live(product).await.unwrap().drift == Some(0)
        }
    })
    .await;
}

/// As when it starts between the reading of the open deals and the use of what was read.
async fn a_deal_that_the_keeper_did_not_see_keeps_its_gate(engine: Engine) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let metrics = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    replica.start(product, None).await;
    let until_open = async |deals: u32| {
        let line = format!("open_deals {deals}");
        eventually(SOON, &line, || async {
            metrics.render().lines().any(|shown| shown == line)
        })
        .await;
    };
    until_open(1).await;
    let change = async |how: &str| {
        let statement = format!("UPDATE deals SET {how}");
        shop.bed.by_hand(&statement).await.unwrap();
    };
    change("status = 'scheduled', number = NULL, initial = 0, available = 0").await;
    until_open(0).await;
    change("status = 'running', number = 1, initial = 10, available = 10").await;
    // The round that missed it is over.
    until_open(1).await;
    assert_eq!(shop.gate_keys(product).await, 1);
}

async fn promise_8_the_gate_of_a_deal_that_ended_in_a_process_which_died_is_dropped_at_start(
    engine: Engine,
) {
    let shop = Shop::new(engine).await;
    let product = shop.bed.product(1, 10).await;
    let died = shop.replica().await;
    let deal = died.start(product, None).await;
    drop(died);
    shop.bed.ask(Command::EndDeal(deal)).await;
    assert!(shop.gate_keys(product).await > 0, "left behind");
    let _started = shop.replica().await;
    eventually(SOON, "the gate is gone", || async {
        shop.gate_keys(product).await == 0
    })
    .await;
}

async fn promise_8_a_deal_that_another_replica_ended_is_forgotten(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let deal = replica.start(product, None).await;
    shop.bed.ask(Command::EndDeal(deal)).await;
    eventually(SOON, "the gate is gone", || async {
        shop.gate_keys(product).await == 0
    })
    .await;
    let bought = replica.buy(1, product, 10).await.unwrap();
    assert_eq!(bought.lines[0].held.deal_id, None);
}

async fn promise_8_a_deal_opened_by_a_process_that_died_has_a_gate_once_somebody_asks(
    engine: Engine,
) {
    let shop = Shop::new(engine).await;
    // Opened in the ledger, and nobody told the gate.
    let (product, _) = shop.bed.hot_product(1, 3, None).await;
    let replica = shop.replica().await;
    replica.buy(1, product, 2).await.unwrap();
    eventually(SOON, "the gate is loaded", || async {
        shop.gate_keys(product).await > 0
    })
    .await;
    assert_eq!(
        refusal(replica.buy(2, product, 2).await),
        Refusal::OutOfStock(product)
    );
    replica.agrees(product).await;
}

test_kit::on_both_engines! {
    tokio::test: promise_4_a_hold_that_nobody_ended_is_released_a_minute_after_its_deadline,
        drift_and_open_holds_are_published,
        a_gate_that_is_too_low_is_raised_while_its_deal_sells,
        a_deal_that_the_keeper_did_not_see_keeps_its_gate,
        promise_8_the_gate_of_a_deal_that_ended_in_a_process_which_died_is_dropped_at_start,
        promise_8_a_deal_that_another_replica_ended_is_forgotten,
        promise_8_a_deal_opened_by_a_process_that_died_has_a_gate_once_somebody_asks;
}
