//! Deals that open and end by themselves, through whichever replica is first. Where something has to happen
//! before a deal's time, its time is moved by hand: no machine is then too slow.

use std::time::Duration;

use domain::{Clock as _, DealId, Money, ProductId, SystemClock};
use futures::future::join_all;
use product_service::{
    deals::PlanDeal,
    ledger::{
        command::Refusal,
        deal::{DealRow, DealStatus},
    },
};
use sql::Engine;
use test_kit::eventually;

use crate::{
    bed::HOUR,
    shop::{Replica, SOON, Shop, refusal},
};

const PRICE: i64 = 300;

/// A deal of `units` that begins in `starts_in` and lasts for an hour.
fn plan(product_id: ProductId, units: i64, starts_in: Duration) -> PlanDeal {
    let starts_at = SystemClock.now().plus(starts_in);
    PlanDeal {
        product_id,
        units,
        unit_price: Money::try_from(PRICE).unwrap(),
        per_user_limit: None,
        starts_at,
        ends_at: starts_at.plus(HOUR),
    }
}

/// The scheduled deal's time has come.
async fn is_due(shop: &Shop) {
    let come = "UPDATE deals SET starts_at_us = 0 WHERE status = 'scheduled'";
    shop.bed.by_hand(come).await.unwrap();
}

/// The time of the deals of this status is over.
async fn is_past(shop: &Shop, status: DealStatus) {
    let status = status.as_str();
    let over =
        format!("UPDATE deals SET starts_at_us = 0, ends_at_us = 1 WHERE status = '{status}'");
    shop.bed.by_hand(&over).await.unwrap();
}

async fn until_it_is(shop: &Shop, deal: DealId, status: DealStatus) -> DealRow {
    eventually(SOON, status.as_str(), || async {
        let deal = shop.bed.deal(deal).await;
        (deal.status == status).then_some(deal)
    })
    .await
}

async fn promise_8_two_replicas_open_and_end_a_scheduled_deal_once(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    let product = shop.bed.product(1, 10).await;
    let soon = plan(product, 4, Duration::from_millis(500));
    let planned = replicas[0].deals.schedule(soon).await.unwrap();
    // More impatient than any schedule.
    let press = eventually(SOON, "the deal runs", || async {
        let starts = (0..16).map(|n| replicas[n % 2].deals.start_due(planned.id));
        let stand: Vec<DealStatus> = join_all(starts).await.into_iter().flatten().collect();
        stand.contains(&DealStatus::Running)
    });
    press.await;
    let running = shop.bed.deal(planned.id).await;
    assert_eq!((running.number, running.sums.initial), (1, 4));
    let shelf = shop.bed.shelf(product).await.sums;
    assert_eq!((shelf.available, shelf.returned), (6, 4));
    let bought = replicas[1].buy(1, product, 3).await.unwrap();
    assert_eq!(bought.lines[0].held.deal_id, Some(planned.id));
    assert_eq!(bought.lines[0].held.unit_price.minor(), PRICE);
    replicas[0].agrees(product).await;

    is_past(&shop, DealStatus::Running).await;
    let ended = until_it_is(&shop, planned.id, DealStatus::Ended).await;
    join_all((0..16).map(|n| replicas[n % 2].deals.end_due(planned.id))).await;
    assert_eq!(shop.bed.deal(planned.id).await, ended);
    assert_eq!((ended.sums.held, ended.sums.returned), (3, 1));
    assert!(ended.ended_at >= ended.ends_at);
    assert_eq!(shop.bed.shelf(product).await.sums.available, 7);
    eventually(SOON, "no key is left", || async {
        shop.gate_keys(product).await == 0
    })
    .await;
    let normal = replicas[0].buy(2, product, 7).await.unwrap();
    assert_eq!(normal.lines[0].held.deal_id, None);
}

async fn a_deal_opened_by_hand_in_between_has_the_earlier_number(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let later = plan(product, 4, HOUR);
    let planned = replica.deals.schedule(later).await.unwrap();
    assert_eq!(planned.number, 0);
    let by_hand = replica.start(product, None).await;
    replica.deals.end(product).await.unwrap();
    is_due(&shop).await;
    let opened = until_it_is(&shop, planned.id, DealStatus::Running).await;
    assert_eq!((shop.bed.deal(by_hand).await.number, opened.number), (1, 2));
    replica.buy(1, product, 4).await.unwrap();
    assert_eq!(
        refusal(replica.buy(2, product, 1).await),
        Refusal::OutOfStock(product)
    );
    replica.agrees(product).await;
}

async fn a_deal_waits_for_the_one_before_it_to_end(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let later = plan(product, 4, HOUR);
    let planned = replica.deals.schedule(later).await.unwrap();
    replica.start(product, None).await;
    is_due(&shop).await;
    let stands = replica.deals.start_due(planned.id).await.unwrap();
    assert_eq!(stands, DealStatus::Scheduled);
    replica.buy(1, product, 7).await.unwrap();
    replica.deals.end(product).await.unwrap();
    // The one before it sold 7 of 10 units: fewer are left than planned.
    let opened = until_it_is(&shop, planned.id, DealStatus::Running).await;
    assert_eq!((opened.planned, opened.sums.initial), (4, 3));
    replica.agrees(product).await;
}

async fn a_deal_that_could_not_open_before_its_end_is_over_without_a_sale(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    let later = plan(product, 4, HOUR);
    let planned = replica.deals.schedule(later).await.unwrap();
    let running = replica.start(product, None).await;
    is_due(&shop).await;
    let waits = replica.deals.start_due(planned.id).await.unwrap();
    assert_eq!(waits, DealStatus::Scheduled);
    is_past(&shop, DealStatus::Scheduled).await;
    let missed = until_it_is(&shop, planned.id, DealStatus::Ended).await;
    assert_eq!((missed.number, missed.sums), (0, Default::default()));
    let live = replica.deals.live(product).await.unwrap();
    assert_eq!(live.deal.id, running, "it never was the product's deal");
    assert_eq!(shop.bed.deal(running).await.status, DealStatus::Running);
}

async fn plans_made_at_once_do_not_overlap(engine: Engine) {
    let shop = Shop::without_gate(engine).await;
    let replicas = [shop.replica().await, shop.replica().await];
    let product = shop.bed.product(1, 10).await;
    let plans = (0..8).map(|n| {
        let plan = plan(product, 1, HOUR);
        replicas[n % 2].deals.schedule(plan)
    });
    let made = join_all(plans).await.into_iter().filter(Result::is_ok);
    assert_eq!(made.count(), 1);
}

/// Ends a deal while Redis does not answer.
async fn end_without_redis(shop: &Shop, replica: &Replica, product: ProductId) {
    shop.redis().pause();
    replica.deals.end(product).await.unwrap();
    shop.redis().resume();
}

async fn promise_8_a_gate_that_could_not_be_taken_down_at_the_end_goes_later(engine: Engine) {
    let shop = Shop::new(engine).await;
    let replica = shop.replica().await;
    let product = shop.bed.product(1, 10).await;
    replica.start(product, None).await;
    end_without_redis(&shop, &replica, product).await;
    eventually(SOON, "no key is left", || async {
        shop.gate_keys(product).await == 0
    })
    .await;
    // Nor does the late drop touch the gate of the next deal.
    replica.start(product, None).await;
    replica.buy(1, product, 1).await.unwrap();
    replica.agrees(product).await;
    assert!(shop.gate_keys(product).await > 0);
}

test_kit::on_both_engines! {
    tokio::test(flavor = "multi_thread", worker_threads = 2): promise_8_two_replicas_open_and_end_a_scheduled_deal_once;
    tokio::test: a_deal_opened_by_hand_in_between_has_the_earlier_number,
        a_deal_waits_for_the_one_before_it_to_end,
        a_deal_that_could_not_open_before_its_end_is_over_without_a_sale,
        plans_made_at_once_do_not_overlap,
        promise_8_a_gate_that_could_not_be_taken_down_at_the_end_goes_later;
}
