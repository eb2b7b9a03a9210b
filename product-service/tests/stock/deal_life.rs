//! Start, end and start again.

use product_service::{
    deals::StartDeal,
    ledger::{command::Refusal, deal::DealStatus},
    stock::StockError,
};
use sql::Engine;

use crate::{
    bed::order,
    shop::{Shop, refusal},
};

async fn promise_8_starting_a_running_deal_again_changes_nothing(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    let product = shop.bed.product(1, 10).await;
    let deal = replicas[0].start(product, Some(7)).await;
    replicas[0].buy(1, product, 4).await.unwrap();
    let before = shop.bed.deal(deal).await;
    for replica in &replicas {
        let other_terms = StartDeal {
            product_id: product,
            units: Some(1),
            unit_price: None,
            per_user_limit: None,
            ends_at: None,
        };
        let again = replica.deals.start(other_terms).await.unwrap();
        assert!(again.was_running);
        assert_eq!(again.deal, before);
        replica.agrees(product).await;
    }
}

async fn promise_8_the_end_of_a_deal_returns_what_is_available_and_takes_its_gate_down(
    engine: Engine,
) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let deal = replica.start(product, None).await;
    replica.buy(1, product, 4).await.unwrap();
    replica.buy(2, product, 1).await.unwrap();
    for was_ended in [false, true] {
        let ended = replica.deals.end(product).await.unwrap();
        assert_eq!(ended.was_ended, was_ended);
        assert_eq!((ended.deal.sums.held, ended.deal.sums.returned), (5, 5));
        assert_eq!(ended.shelf_available, 5);
        assert_eq!(shop.gate_keys(product).await, 0);
    }
    // Open holds outlive the deal: one is sold there, the other's units go to the shelf.
    replica.stock.confirm(order(1), None).await.unwrap();
    replica.restore(2).await;
    let (sums, shelf) = (
        shop.bed.deal(deal).await.sums,
        shop.bed.shelf(product).await.sums,
    );
    assert_eq!((sums.held, sums.sold, sums.returned), (0, 4, 6));
    assert_eq!(shelf.available, 6);
    replica.buy(3, product, 6).await.unwrap();
    assert_eq!(
        shop.bed.shelf(product).await.sums.held,
        6,
        "the shelf sells again"
    );
}

async fn promise_8_a_sold_out_deal_leaves_0(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 3).await;
    replica.start(product, None).await;
    replica.buy(1, product, 3).await.unwrap();
    replica.stock.confirm(order(1), None).await.unwrap();
    let ended = replica.deals.end(product).await.unwrap();
    assert_eq!((ended.deal.sums.sold, ended.deal.sums.returned), (3, 0));
    assert_eq!(ended.shelf_available, 0);
    assert_eq!(shop.gate_keys(product).await, 0);
}

async fn a_deal_started_after_another_has_the_next_number_and_a_gate_of_its_own(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 5).await;
    let first = replica.start(product, None).await;
    replica.buy(1, product, 2).await.unwrap();
    replica.deals.end(product).await.unwrap();
    let second = replica.start(product, None).await;
    let (first, second) = (shop.bed.deal(first).await, shop.bed.deal(second).await);
    assert_eq!((first.number, second.number), (1, 2));
    assert_eq!(
        (first.status, second.status),
        (DealStatus::Ended, DealStatus::Running)
    );
    assert_eq!(second.sums.available, 3);
    replica.agrees(product).await;
    // A late release of the first deal's hold goes to the shelf and not to the second's gate.
    replica.restore(1).await;
    assert_eq!(shop.bed.shelf(product).await.sums.available, 2);
    assert_eq!(shop.bed.deal(second.id).await.sums.available, 3);
    replica.buy(2, product, 3).await.unwrap();
    assert_eq!(
        refusal(replica.buy(3, product, 1).await),
        Refusal::OutOfStock(product)
    );
    replica.agrees(product).await;
}

async fn a_replica_that_missed_start_and_end_looks_again(engine: Engine) {
    let shop = Shop::new(engine).await;
    let (one, other) = (shop.replica().await, shop.replica().await);
    let product = shop.bed.product(1, 10).await;
    one.buy(1, product, 1).await.unwrap();
    for round in 0..3 {
        one.start(product, None).await;
        let hot = other.buy(10 + round, product, 1).await.unwrap();
        assert!(hot.lines[0].held.deal_id.is_some());
        one.deals.end(product).await.unwrap();
        let normal = other.buy(20 + round, product, 1).await.unwrap();
        assert!(normal.lines[0].held.deal_id.is_none());
    }
}

async fn a_deal_of_another_product_or_of_none_is_refused_as_foreign(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let (one, other) = (shop.bed.product(1, 5).await, shop.bed.product(2, 5).await);
    let ended = replica.start(one, None).await;
    replica.deals.end(one).await.unwrap();
    let runs = replica.start(one, None).await;
    let foreign = replica.start(other, None).await;
    let nobody_s = domain::DealId(uuid::Uuid::from_u128(99));
    let buy = |number, deal_id| {
        let mut wanted = crate::shop::request(order(number), crate::bed::user(number), &[(one, 1)]);
        wanted.lines[0].deal_id = Some(deal_id);
        replica.stock.decrease(wanted, None)
    };
    assert_eq!(refusal(buy(1, foreign).await), Refusal::ForeignDeal(one));
    assert_eq!(refusal(buy(2, nobody_s).await), Refusal::ForeignDeal(one));
    assert_eq!(refusal(buy(3, ended).await), Refusal::DealNotOpen(one));
    buy(4, runs).await.unwrap();
    replica.agrees(one).await;
}

async fn a_product_without_units_or_of_no_shop_starts_no_deal(engine: Engine) {
    let shop = Shop::without_gate(engine).await;
    let replica = shop.replica().await;
    let empty = shop.bed.product(1, 0).await;
    let start = |product_id| StartDeal {
        product_id,
        units: None,
        unit_price: None,
        per_user_limit: None,
        ends_at: None,
    };
    let refused = replica.deals.start(start(empty)).await;
    assert_eq!(refusal(refused), Refusal::OutOfStock(empty));
    let unknown = domain::ProductId(uuid::Uuid::from_u128(99));
    let refused = replica.deals.start(start(unknown)).await;
    assert_eq!(refused.unwrap_err(), StockError::NotFound);
}

test_kit::on_both_engines! {
    tokio::test: promise_8_starting_a_running_deal_again_changes_nothing,
        promise_8_the_end_of_a_deal_returns_what_is_available_and_takes_its_gate_down,
        promise_8_a_sold_out_deal_leaves_0,
        a_deal_started_after_another_has_the_next_number_and_a_gate_of_its_own,
        a_replica_that_missed_start_and_end_looks_again,
        a_deal_of_another_product_or_of_none_is_refused_as_foreign,
        a_product_without_units_or_of_no_shop_starts_no_deal;
}
