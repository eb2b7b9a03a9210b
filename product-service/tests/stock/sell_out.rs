//! A deal sells out exactly.

use futures::future::join_all;
use product_service::ledger::command::Refusal;
use sql::Engine;
use test_kit::eventually;

use crate::{
    bed::{order, user},
    shop::{BOUNDS, Bounds, Fared, Replica, SOON, Shop, crowd, refusal, request},
};

/// 400 buyers at once for 100 units.
async fn sells_100_of_400(shop: &Shop, replicas: &[Replica]) {
    let product = shop.bed.product(1, 100).await;
    let deal = replicas[0].start(product, None).await;
    let expected = Fared {
        held: 100,
        out_of_stock: 300,
        other: vec![],
    };
    assert_eq!(crowd(replicas, product, 0..400).await, expected);
    let sums = shop.bed.deal(deal).await.sums;
    assert_eq!((sums.available, sums.held), (0, 100));
    if shop.redis.is_some() {
        for replica in replicas {
            replica.agrees(product).await;
        }
    }
}

async fn promise_1_a_deal_sells_out_exactly(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replicas = [shop.replica().await];
    sells_100_of_400(&shop, &replicas).await;
}

async fn promise_1_a_deal_sells_out_exactly_through_two_replicas(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    sells_100_of_400(&shop, &replicas).await;
}

async fn promise_1_a_deal_sells_out_exactly_without_a_gate(engine: Engine) {
    let shop = Shop::without_gate(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    sells_100_of_400(&shop, &replicas).await;
}

async fn one_at_a_time_a_deal_sells_out_exactly_too(engine: Engine) {
    let shop = Shop::new(engine).await;
    let one = Bounds {
        batch_max: 1,
        ..BOUNDS
    };
    let replicas = [shop.bounded_replica(one).await];
    sells_100_of_400(&shop, &replicas).await;
}

async fn promise_3_an_order_sent_fifty_times_at_once_is_held_once(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    let product = shop.bed.product(1, 100).await;
    let deal = replicas[0].start(product, None).await;
    let attempts = (0..50).map(|nth| replicas[nth % 2].retry(1, product, 2));
    let answers = join_all(attempts).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    let fresh = answers.iter().filter(|taken| !taken.is_replay).count();
    assert_eq!(fresh, 1);
    let told = answers
        .iter()
        .map(|taken| (taken.lines[0].held.clone(), taken.expires_at));
    let told: Vec<_> = told.collect();
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
    assert_eq!(shop.bed.deal(deal).await.sums.held, 2);
    // The replica that passed may have come to the ledger before the one that was admitted, whose units
    // are then owed as a replay's: a gate that is too high, never too low.
    eventually(SOON, "the gate is right or too high", || async {
        let live = replicas[0].deals.live(product).await.unwrap();
        matches!(live.drift, Some(0 | 2))
    })
    .await;
}

/// Without a gate both come to the ledger as strangers: the second waits for the first one's deal, and
/// must look again before it says no.
async fn the_last_unit_asked_for_twice_at_once(engine: Engine, limit: Option<i64>) {
    let shop = Shop::without_gate(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    for number in 1..=60 {
        let product = shop.bed.product(number, 1).await;
        for replica in &replicas {
            replica.start(product, limit).await;
        }
        let (one, other) = tokio::join!(
            replicas[0].retry(number, product, 1),
            replicas[1].retry(number, product, 1)
        );
        let is_replay = [one, other].map(|taken| taken.unwrap().is_replay);
        assert_ne!(is_replay[0], is_replay[1], "one takes, the other replays");
    }
}

async fn promise_3_who_holds_the_last_unit_does_not_hear_that_it_is_gone(engine: Engine) {
    the_last_unit_asked_for_twice_at_once(engine, None).await;
}

async fn promise_3_who_holds_a_unit_does_not_hear_of_his_own_limit(engine: Engine) {
    the_last_unit_asked_for_twice_at_once(engine, Some(1)).await;
}

async fn promise_5_a_winner_s_retry_is_answered_with_its_hold_after_the_deal_sold_out(
    engine: Engine,
) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 3).await;
    replica.start(product, None).await;
    let first = replica.buy(1, product, 3).await.unwrap();
    assert_eq!(
        refusal(replica.buy(2, product, 1).await),
        Refusal::OutOfStock(product)
    );
    for _ in 0..2 {
        let again = replica.retry(1, product, 3).await.unwrap();
        assert!(again.is_replay);
        assert_eq!(again.expires_at, first.expires_at);
        // The second time the gate has forgotten the order.
        shop.delete_gate(product).await;
    }
    assert_eq!(
        refusal(replica.retry(3, product, 1).await),
        Refusal::OutOfStock(product)
    );
}

async fn units_that_are_released_are_sold_again(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 3).await;
    replica.start(product, None).await;
    replica.buy(1, product, 3).await.unwrap();
    replica.restore(1).await;
    replica.agrees(product).await;
    replica.buy(2, product, 3).await.unwrap();
    assert_eq!(
        refusal(replica.retry(1, product, 3).await),
        Refusal::HoldEnded
    );
}

async fn promise_6_hot_and_normal_lines_of_an_order_are_taken_together_or_not_at_all(
    engine: Engine,
) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let (plenty, scarce) = (shop.bed.product(1, 5).await, shop.bed.product(2, 1).await);
    let normal = shop.bed.product(3, 5).await;
    let deal = replica.start(plenty, None).await;
    replica.start(scarce, None).await;
    let lines = [(normal, 1), (plenty, 1), (scarce, 1), (plenty, 1)];
    let wanted = |number| request(order(number), user(number), &lines);
    let taken = replica.stock.decrease(wanted(1), None).await.unwrap();
    let units: Vec<i64> = taken
        .lines
        .iter()
        .map(|line| line.held.quantity.units())
        .collect();
    assert_eq!(units, [2, 1, 1], "lines of one product are summed");
    let refused = replica.stock.decrease(wanted(2), None).await;
    assert_eq!(refusal(refused), Refusal::OutOfStock(scarce));
    eventually(SOON, "what the first gate took is owed", || async {
        shop.bed.deal(deal).await.owed == 2
    })
    .await;
    replica.agrees(plenty).await;
    replica.agrees(scarce).await;
    assert_eq!(shop.bed.deal(deal).await.sums.held, 2);
    assert_eq!(shop.bed.shelf(normal).await.sums.held, 1);
}

async fn a_buyer_s_limit_holds_and_a_release_frees_it_at_once(engine: Engine) {
    for shop in Shop::both(engine).await {
        let replica = shop.replica().await;
        let product = shop.bed.product(1, 10).await;
        replica.start(product, Some(2)).await;
        let buy = |number| {
            let wanted = request(order(number), user(1), &[(product, 2)]);
            replica.stock.decrease(wanted, None)
        };
        buy(1).await.unwrap();
        assert_eq!(refusal(buy(2).await), Refusal::PerUserLimit(product));
        replica.restore(1).await;
        // The gate still counts the released units; the ledger does not.
        buy(3).await.unwrap();
        assert_eq!(refusal(buy(4).await), Refusal::PerUserLimit(product));
        replica.buy(5, product, 2).await.unwrap();
    }
}

async fn a_normal_product_sells_from_its_shelf(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 3).await;
    let replicas = [replica];
    let fared = crowd(&replicas, product, 0..10).await;
    assert_eq!((fared.held, fared.out_of_stock), (3, 7));
    assert_eq!(shop.gate_keys(product).await, 0);
}

async fn units_below_one_or_beyond_the_counter_do_not_stop_the_shelf(engine: Engine) {
    let shop = Shop::without_gate(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 3).await;
    for delta in [i64::MAX, i64::MIN, -4] {
        assert!(
            replica.stock.adjust_shelf(product, delta).await.is_err(),
            "{delta}"
        );
    }
    assert_eq!(replica.stock.adjust_shelf(product, -3).await, Ok(0));
}

test_kit::on_both_engines! {
    tokio::test(flavor = "multi_thread", worker_threads = 2): promise_1_a_deal_sells_out_exactly,
        promise_1_a_deal_sells_out_exactly_through_two_replicas,
        promise_1_a_deal_sells_out_exactly_without_a_gate,
        one_at_a_time_a_deal_sells_out_exactly_too,
        promise_3_an_order_sent_fifty_times_at_once_is_held_once,
        promise_3_who_holds_the_last_unit_does_not_hear_that_it_is_gone,
        promise_3_who_holds_a_unit_does_not_hear_of_his_own_limit;
    tokio::test: promise_5_a_winner_s_retry_is_answered_with_its_hold_after_the_deal_sold_out,
        units_that_are_released_are_sold_again,
        promise_6_hot_and_normal_lines_of_an_order_are_taken_together_or_not_at_all,
        a_buyer_s_limit_holds_and_a_release_frees_it_at_once,
        a_normal_product_sells_from_its_shelf,
        units_below_one_or_beyond_the_counter_do_not_stop_the_shelf;
}
