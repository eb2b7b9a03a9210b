//! What is sold out is remembered, and forgotten as soon as units come back. The memory lasts an hour
//! here, so that only forgetting ends it.

use domain::ProductId;
use product_service::ledger::command::Refusal;
use sql::Engine;
use test_kit::{Postgres, eventually};

use crate::{
    bed::{Bed, HOUR},
    overload::{script_calls, transactions},
    shop::{BOUNDS, Bounds, Fared, Replica, SOON, Shop, crowd, refusal},
};

const REMEMBERING: Bounds = Bounds {
    sold_out_memory: HOUR,
    ..BOUNDS
};

/// Twenty first attempts, all of which lose.
async fn twenty_lose(replica: &Replica, product: ProductId, first: u128) {
    let fared = crowd(std::slice::from_ref(replica), product, first..first + 20).await;
    let all_lose = Fared {
        out_of_stock: 20,
        ..Fared::default()
    };
    assert_eq!(fared, all_lose);
}

/// Sells the one unit there is, and lets somebody find that out.
async fn sell_out(replica: &Replica, product: ProductId) {
    replica.buy(1, product, 1).await.unwrap();
    let first_loser = replica.buy(2, product, 1).await;
    assert_eq!(refusal(first_loser), Refusal::OutOfStock(product));
}

/// The next buyer gets what order 1 gives back.
async fn is_forgotten_by_a_release(replica: &Replica, product: ProductId) {
    replica.restore(1).await;
    let number = std::cell::Cell::new(1_000);
    eventually(SOON, "the unit is sold again", || async {
        number.set(number.get() + 1);
        replica.buy(number.get(), product, 1).await.is_ok()
    })
    .await;
}

#[tokio::test]
async fn losers_of_a_sold_out_deal_cost_no_script_call_until_units_come_back() {
    let shop = Shop::new(Engine::Postgres).await;
    let replica = shop.bounded_replica(REMEMBERING).await;
    let product = shop.bed.product(1, 1).await;
    replica.start(product, None).await;
    sell_out(&replica, product).await;
    let calls = script_calls(&shop).await;
    twenty_lose(&replica, product, 10).await;
    assert_eq!(script_calls(&shop).await, calls);
    // Whoever may hold a unit is never answered from memory.
    assert!(replica.retry(1, product, 1).await.unwrap().is_replay);
    is_forgotten_by_a_release(&replica, product).await;
}

#[tokio::test]
async fn without_a_gate_losers_cost_no_transaction_until_units_come_back() {
    // A server of its own: transactions are counted by the server.
    let postgres = Postgres::start_durable().await;
    let shop = Shop {
        bed: Bed::on(postgres.database().await.url).await,
        redis: None,
    };
    let replica = shop.bounded_replica(REMEMBERING).await;
    let (deal_product, product) = (shop.bed.product(1, 1).await, shop.bed.product(2, 1).await);
    replica.start(deal_product, None).await;
    for product in [deal_product, product] {
        sell_out(&replica, product).await;
        let before = transactions(&shop.bed).await;
        twenty_lose(&replica, product, 10).await;
        assert_eq!(transactions(&shop.bed).await, before);
        assert!(replica.retry(1, product, 1).await.unwrap().is_replay);
        is_forgotten_by_a_release(&replica, product).await;
        // Its order ids are free for the other product.
        shop.bed.by_hand("DELETE FROM holds").await.unwrap();
    }
}

#[tokio::test]
async fn too_little_is_not_nothing_and_a_new_deal_is_not_the_old_one() {
    let shop = Shop::without_gate(Engine::Postgres).await;
    let replica = shop.bounded_replica(REMEMBERING).await;
    let product = shop.bed.product(1, 2).await;
    replica.start(product, None).await;
    let too_many = replica.buy(1, product, 3).await;
    assert_eq!(refusal(too_many), Refusal::OutOfStock(product));
    replica.buy(2, product, 2).await.unwrap();
    let nothing_left = replica.buy(3, product, 1).await;
    assert_eq!(refusal(nothing_left), Refusal::OutOfStock(product));
    replica.deals.end(product).await.unwrap();
    replica.stock.adjust_shelf(product, 5).await.unwrap();
    replica.buy(4, product, 1).await.unwrap();
    replica.start(product, None).await;
    replica.buy(5, product, 1).await.unwrap();
}

#[tokio::test]
async fn a_deal_that_sold_out_and_then_paused_is_not_open() {
    let shop = Shop::without_gate(Engine::Postgres).await;
    let replica = shop.bounded_replica(REMEMBERING).await;
    let product = shop.bed.product(1, 1).await;
    replica.start(product, None).await;
    sell_out(&replica, product).await;
    replica.deals.pause(product).await.unwrap();
    let paused = replica.buy(3, product, 1).await;
    assert_eq!(refusal(paused), Refusal::DealNotOpen(product));
}
