//! Redis proposes, SQL decides: whatever happens to Redis, not one unit is sold twice, and selling
//! goes on.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use product_service::{
    gate::{Admission, Admitted, GateLoad, Settled},
    ledger::command::Refusal,
    stock::Decrease,
};
use sql::Engine;
use test_kit::{Redis, eventually};

use crate::{
    bed::{new_id, order, user},
    shop::{Fared, Replica, SOON, Shop, crowd, refusal, request},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_5_redis_killed_and_back_empty_sells_exactly_what_there_is() {
    let shop = Shop::new(Engine::Postgres).await;
    let replicas = [shop.replica().await, shop.replica().await];
    let product = shop.bed.product(1, 100).await;
    let deal = replicas[0].start(product, None).await;
    let held = || async { shop.bed.deal(deal).await.sums.held };
    let kill = async {
        eventually(SOON, "the sale is under way", || async {
            held().await >= 1
        })
        .await;
        shop.redis().restart_empty().await;
    };
    let (fared, ()) = tokio::join!(crowd(&replicas, product, 0..90), kill);
    assert_eq!(fared.other, [], "the ledger sells while Redis is away");
    let sold = AtomicUsize::new(fared.held);
    let mut number = 1_000;
    eventually(SOON, "all units are sold", || {
        number += 10;
        let (replicas, sold) = (&replicas, &sold);
        async move {
            let more = crowd(replicas, product, number..number + 10).await;
            sold.fetch_add(more.held, Ordering::Relaxed) + more.held >= 100
        }
    })
    .await;
    assert_eq!(sold.into_inner(), 100);
    let after = crowd(&replicas, product, 5_000..5_020).await;
    assert_eq!((after.held, after.out_of_stock), (0, 20));
    assert_eq!(held().await, 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_5_without_redis_from_the_start_a_deal_sells_out_exactly() {
    let shop = Shop::new(Engine::Postgres).await;
    shop.redis().kill9();
    let replicas = [shop.replica().await];
    let product = shop.bed.product(1, 10).await;
    let deal = replicas[0].start(product, None).await;
    let fared = crowd(&replicas, product, 0..40).await;
    assert_eq!((fared.held, fared.out_of_stock), (10, 30));
    shop.redis().restart_empty().await;
    replicas[0]
        .restore(shop_order_held(&shop, &replicas[0], product).await)
        .await;
    // One that the retry has loaded already is handed the unit that came back a moment later.
    eventually(SOON, "the gate is back, and knows of the unit", || async {
        let is_up = replicas[0].gate.as_ref().unwrap().is_up();
        let live = replicas[0].deals.live(product).await.unwrap();
        is_up
            && live
                .gate
                .is_some_and(|gate| gate.quantity.unwrap_or(1) == 1)
    })
    .await;
    let fared = crowd(&replicas, product, 100..140).await;
    assert_eq!((fared.held, fared.out_of_stock), (1, 39));
    assert_eq!(shop.bed.deal(deal).await.sums.held, 10);
}

/// One of the orders 0 to 39 that holds a unit.
async fn shop_order_held(shop: &Shop, replica: &Replica, product: domain::ProductId) -> u128 {
    for number in 0..40 {
        let (holds, _) = shop.bed.store.find_holds(&[order(number)]).await.unwrap();
        if !holds.is_empty() {
            assert!(replica.retry(number, product, 1).await.unwrap().is_replay);
            return number;
        }
    }
    panic!("nobody holds anything");
}

#[tokio::test]
async fn promise_5_the_units_of_a_process_that_died_between_gate_and_ledger_are_sold_within_5_s() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 3).await;
    let deal = replica.start(product, Some(3)).await;
    let batch = new_id();
    let left_behind = Admission {
        order_id: order(77_777),
        user_id: user(77_777),
        units: 3,
        ignore_limit: false,
    };
    let gate = replica.gate.as_ref().unwrap();
    let admitted = gate.admit(product, 1, batch, &[left_behind]).await.unwrap();
    assert!(
        matches!(admitted, Admitted::Open { quantity: 0, .. }),
        "{admitted:?}"
    );
    assert_eq!(
        refusal(replica.buy(1, product, 1).await),
        Refusal::OutOfStock(product)
    );

    let mut number = 1;
    eventually(Duration::from_secs(5), "the units are back", || {
        number += 1;
        let replica = &replica;
        async move { replica.buy(number, product, 3).await.is_ok() }
    })
    .await;
    let voided = shop.bed.store.void(batch, deal, 0).await.unwrap();
    assert!(voided.is_void);
    assert_eq!(voided.owed, 3);
    replica.agrees(product).await;
    // The dead process's order and buyer are not counted any more.
    replica.restore(number).await;
    replica.agrees(product).await;
    replica.retry(77_777, product, 3).await.unwrap();
    replica.agrees(product).await;
}

#[tokio::test]
async fn promise_5_a_gate_deleted_by_hand_is_loaded_by_whoever_asks_next() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 5).await;
    replica.start(product, None).await;
    for number in 0..5 {
        shop.delete_gate(product).await;
        replica.buy(number, product, 1).await.unwrap();
    }
    shop.delete_gate(product).await;
    assert_eq!(
        refusal(replica.buy(6, product, 1).await),
        Refusal::OutOfStock(product)
    );
    replica.agrees(product).await;
}

#[tokio::test]
async fn promise_5_a_gate_lowered_by_hand_is_raised() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 5).await;
    replica.start(product, None).await;
    shop.by_hand(product, "HSET hotdeal:stock:{p} quantity 0")
        .await;
    assert_eq!(
        refusal(replica.buy(1, product, 1).await),
        Refusal::OutOfStock(product)
    );
    replica.agrees(product).await;
    replica.buy(2, product, 5).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_5_a_gate_raised_by_hand_oversells_nothing_and_comes_down_with_each_refusal() {
    let shop = Shop::new(Engine::Postgres).await;
    let replicas = [shop.replica().await];
    let product = shop.bed.product(1, 10).await;
    let deal = replicas[0].start(product, None).await;
    shop.by_hand(product, "HSET hotdeal:stock:{p} quantity 40")
        .await;
    let expected = Fared {
        held: 10,
        out_of_stock: 30,
        other: vec![],
    };
    assert_eq!(crowd(&replicas, product, 0..40).await, expected);
    assert_eq!(shop.bed.deal(deal).await.sums.held, 10);
    replicas[0].agrees(product).await;
}

#[tokio::test]
async fn promise_5_a_gate_falsified_by_hand_does_not_stop_the_deal() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 5).await;
    replica.start(product, None).await;
    shop.by_hand(product, "HSET hotdeal:stock:{p} quantity many")
        .await;
    replica.buy(1, product, 5).await.unwrap();
    assert_eq!(
        refusal(replica.retry(2, product, 1).await),
        Refusal::OutOfStock(product)
    );
}

#[tokio::test]
async fn promise_5_a_gate_that_lost_what_it_was_owed_admits_nobody_and_is_wiped() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 1).await;
    replica.start(product, None).await;
    replica.buy(1, product, 1).await.unwrap();
    shop.by_hand(product, "HDEL hotdeal:stock:{p} owed").await;
    replica.restore(1).await;
    replica.buy(2, product, 1).await.unwrap();
    loads_again(&replica, product).await;
    replica.restore(2).await;
    sells_again(&replica, product).await;
}

#[tokio::test]
async fn promise_5_a_falsified_batch_in_flight_does_not_keep_released_units_from_the_gate() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 1).await;
    replica.start(product, None).await;
    replica.buy(1, product, 1).await.unwrap();
    shop.by_hand(product, "HSET hotdeal:inflight:{p} x y").await;
    replica.restore(1).await;
    sells_again(&replica, product).await;
    eventually(SOON, "the entry is dropped", || async {
        shop.by_hand(product, "HEXISTS hotdeal:inflight:{p} x")
            .await
            == 0
    })
    .await;
    replica.agrees(product).await;
}

#[tokio::test]
async fn promise_5_a_gate_of_a_later_deal_than_the_ledger_knows_is_wiped() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 1_000).await;
    replica.start(product, None).await;
    shop.by_hand(product, "HSET hotdeal:stock:{p} deal 99")
        .await;
    replica.buy(1, product, 1).await.unwrap();
    loads_again(&replica, product).await;
    replica.agrees(product).await;
}

/// Waits until somebody gets the unit that was released.
async fn sells_again(replica: &Replica, product: domain::ProductId) {
    let mut number = 100;
    eventually(SOON, "the released unit sells", || {
        number += 1;
        async move { replica.buy(number, product, 1).await.is_ok() }
    })
    .await;
}

/// Waits until requests have put up a gate of the product's first deal.
async fn loads_again(replica: &Replica, product: domain::ProductId) {
    let gate = replica.gate.as_ref().unwrap();
    let mut number = 1_000;
    eventually(SOON, "the gate is loaded afresh", || {
        number += 1;
        async move {
            // Held or refused, by the gate or without it.
            let _ = replica.buy(number, product, 1).await;
            matches!(gate.settle(product, 1, 0).await, Ok(Settled::Open { .. }))
        }
    })
    .await;
}

#[tokio::test]
async fn promise_7_orders_that_the_ledger_refuses_leave_no_admission_behind() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let deal = replica.start(product, None).await;
    // A deal whose window is over would be ended by the schedule.
    let early = "UPDATE deals SET starts_at_us = (SELECT now_us FROM clock) + 3600000000";
    shop.bed.by_hand(early).await.unwrap();
    for number in 0..100 {
        assert_eq!(
            refusal(replica.buy(number, product, 1).await),
            Refusal::DealNotOpen(product)
        );
    }
    eventually(SOON, "nothing is admitted", || async {
        shop.by_hand(product, "HLEN hotdeal:admitted:{p}").await == 0
    })
    .await;
    assert_eq!(shop.gate_keys(product).await, 1, "the gate itself stays");
    assert_eq!(shop.bed.deal(deal).await.sums.available, 10);
    replica.agrees(product).await;
}

#[tokio::test]
async fn promise_7_orders_that_one_of_two_gates_refuses_leave_no_admission_at_the_other() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let (plenty, gone) = (
        shop.bed.product(1, 1_000).await,
        shop.bed.product(2, 1).await,
    );
    replica.start(plenty, None).await;
    replica.start(gone, None).await;
    // Too few, not sold out: a process does not remember that, so that each goes through the gates.
    for number in 0..20_u128 {
        for first_attempt in [true, false] {
            let lines = [(plenty, 1), (gone, 2)];
            let wanted = Decrease {
                first_attempt,
                ..request(order(number), user(number), &lines)
            };
            let refused = replica.stock.decrease(wanted, None).await;
            assert_eq!(refusal(refused), Refusal::OutOfStock(gone));
        }
    }
    eventually(SOON, "nothing is admitted", || async {
        shop.by_hand(plenty, "HLEN hotdeal:admitted:{p}").await == 0
    })
    .await;
    replica.agrees(plenty).await;
}

#[tokio::test]
async fn promise_5_a_gate_of_an_earlier_deal_admits_nobody() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 5).await;
    let first = replica.start(product, None).await;
    replica.deals.end(product).await.unwrap();
    let second = replica.start(product, None).await;
    shop.delete_gate(product).await;
    let old = GateLoad {
        product,
        deal_id: first,
        deal_number: 1,
        quantity: 500,
        owed: 0,
        per_user_limit: None,
    };
    replica.gate.as_ref().unwrap().load(&old).await.unwrap();
    replica.buy(1, product, 5).await.unwrap();
    assert_eq!(
        refusal(replica.buy(2, product, 1).await),
        Refusal::OutOfStock(product)
    );
    assert_eq!(shop.bed.deal(second).await.sums.held, 5);
    assert_eq!(shop.bed.deal(first).await.sums.held, 0);
    let gate = replica.gate.as_ref().unwrap();
    assert!(matches!(
        gate.settle(product, 2, 0).await,
        Ok(Settled::Open { quantity: 0, .. })
    ));
}

#[tokio::test]
async fn promise_5_a_gate_of_a_later_deal_than_the_ledger_knows_does_not_stop_the_sale() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 3).await;
    replica.start(product, None).await;
    shop.by_hand(product, "HSET hotdeal:stock:{p} deal 99")
        .await;
    let fared = crowd(&[replica], product, 0..5).await;
    assert_eq!(
        (fared.held, fared.out_of_stock),
        (3, 2),
        "{:?}",
        fared.other
    );
}

#[tokio::test]
async fn a_redis_of_somebody_else_s_data_is_left_alone() {
    let redis = Redis::start().await;
    let mut connection = redis.connection().await;
    let set = redis::cmd("SET").arg("other").arg("1").clone();
    set.exec_async(&mut connection).await.unwrap();
    let shop = Shop {
        bed: crate::bed::Bed::new(Engine::Postgres).await,
        redis: Some(redis),
    };
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 1).await;
    replica.start(product, None).await;
    replica.buy(1, product, 1).await.unwrap();
    replica.deals.end(product).await.unwrap();
    assert_eq!(shop.by_hand(product, "DBSIZE").await, 1);
}
