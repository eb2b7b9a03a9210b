//! Orders of several products, hot and normal ones: all lines or none, with a gate and without.

use domain::{DealId, ProductId};
use product_service::ledger::{command::Refusal, sums::Sums};
use sql::Engine;

use crate::{
    bed::{order, user},
    shop::{Replica, Shop, refusal, request},
};

/// Two hot products and a normal one.
struct Goods {
    hot: [(ProductId, DealId); 2],
    normal: ProductId,
}

impl Goods {
    /// A hundred units of each, so that what a refused order took and gets back on its way is not missed; a
    /// buyer may have four of the second.
    async fn put_up(shop: &Shop, replica: &Replica) -> Self {
        let (one, other) = (
            shop.bed.product(1, 100).await,
            shop.bed.product(2, 100).await,
        );
        Self {
            hot: [
                (one, replica.start(one, None).await),
                (other, replica.start(other, Some(4)).await),
            ],
            normal: shop.bed.product(3, 100).await,
        }
    }

    async fn sums(&self, shop: &Shop) -> [Sums; 3] {
        [
            shop.bed.deal(self.hot[0].1).await.sums,
            shop.bed.deal(self.hot[1].1).await.sums,
            shop.bed.shelf(self.normal).await.sums,
        ]
    }
}

async fn promise_6_whichever_line_cannot_be_taken_none_is(engine: Engine) {
    for shop in Shop::both(engine).await {
        let replica = shop.replica().await;
        let goods = Goods::put_up(&shop, &replica).await;
        let [(one, _), (other, _)] = goods.hot;
        let normal = goods.normal;
        let before = goods.sums(&shop).await;
        let mut number = 0;
        for (lines, no) in [
            (
                [(one, 101), (other, 1), (normal, 1)],
                Refusal::OutOfStock(one),
            ),
            (
                [(one, 1), (other, 5), (normal, 1)],
                Refusal::PerUserLimit(other),
            ),
            (
                [(one, 1), (other, 1), (normal, 101)],
                Refusal::OutOfStock(normal),
            ),
        ] {
            // The same twice over: lines of one product are summed, in whatever order they come.
            let halves: Vec<(ProductId, i64)> = lines
                .iter()
                .flat_map(|(product, units)| [(*product, units - 1), (*product, 1)])
                .filter(|(_, units)| *units > 0)
                .rev()
                .collect();
            for lines in [lines.to_vec(), halves] {
                for first_attempt in [true, false] {
                    number += 1;
                    let mut wanted = request(order(number), user(number), &lines);
                    wanted.first_attempt = first_attempt;
                    let refused = replica.stock.decrease(wanted, None).await;
                    assert_eq!(refusal(refused), no, "{lines:?}");
                }
            }
        }
        assert_eq!(goods.sums(&shop).await, before);
        take_all_and_give_back(&shop, &replica, &goods).await;
    }
}

async fn take_all_and_give_back(shop: &Shop, replica: &Replica, goods: &Goods) {
    let [(one, _), (other, _)] = goods.hot;
    if replica.gate.is_some() {
        replica.agrees(one).await;
    }
    let lines = [(other, 2), (goods.normal, 100), (one, 100), (other, 2)];
    let wanted = request(order(100), user(100), &lines);
    let taken = replica.stock.decrease(wanted.clone(), None).await.unwrap();
    let units: Vec<i64> = taken
        .lines
        .iter()
        .map(|line| line.held.quantity.units())
        .collect();
    assert_eq!(units, [100, 4, 100]);
    let again = replica.stock.decrease(wanted, None).await.unwrap();
    assert!(again.is_replay);
    let held = goods.sums(shop).await.map(|sums| sums.held);
    assert_eq!(held, [100, 4, 100]);
    replica.restore(100).await;
    let available = goods.sums(shop).await.map(|sums| sums.available);
    assert_eq!(available, [100, 100, 100]);
    if replica.gate.is_some() {
        replica.agrees(one).await;
        replica.agrees(other).await;
    }
}

async fn promise_6_a_paused_deal_keeps_the_other_lines_from_being_taken(engine: Engine) {
    for shop in Shop::both(engine).await {
        let replica = shop.replica().await;
        let goods = Goods::put_up(&shop, &replica).await;
        let [(one, _), (other, _)] = goods.hot;
        let before = goods.sums(&shop).await;
        replica.deals.pause(other).await.unwrap();
        let lines = [(one, 1), (other, 1), (goods.normal, 1)];
        let refused = replica
            .stock
            .decrease(request(order(1), user(1), &lines), None)
            .await;
        assert_eq!(refusal(refused), Refusal::DealNotOpen(other));
        assert_eq!(goods.sums(&shop).await, before);
        replica.deals.resume(other).await.unwrap();
        let wanted = request(order(2), user(2), &lines);
        replica.stock.decrease(wanted, None).await.unwrap();
    }
}

/// Two hot products asked for in opposite orders by many at once: nobody waits for another in a circle.
async fn promise_6_a_crowd_that_wants_two_deals_gets_both_or_neither(engine: Engine) {
    for shop in Shop::both(engine).await {
        let replicas = [shop.replica().await, shop.replica().await];
        let (one, other) = (shop.bed.product(1, 20).await, shop.bed.product(2, 30).await);
        let mut deals = Vec::new();
        for product_id in [one, other] {
            deals.push(replicas[0].start(product_id, None).await);
        }
        let attempts = (0..60_u128).map(|number| {
            let lines = match number % 3 {
                0 => [(one, 1), (other, 1)],
                1 => [(other, 1), (one, 1)],
                _ => [(other, 2), (one, 1)],
            };
            let replica = &replicas[usize::try_from(number % 2).unwrap()];
            let wanted = request(order(number), user(number), &lines);
            replica.stock.decrease(wanted, None)
        });
        let answers = futures::future::join_all(attempts).await;
        let held: Vec<_> = answers.into_iter().filter_map(Result::ok).collect();
        for (at, deal) in deals.into_iter().enumerate() {
            let units = held
                .iter()
                .map(|taken| taken.lines[at].held.quantity.units());
            let sums = shop.bed.deal(deal).await.sums;
            assert_eq!(sums.held, units.sum::<i64>());
            assert!(sums.is_sound());
        }
        for product in [one, other] {
            if replicas[0].gate.is_some() {
                replicas[0].agrees(product).await;
            }
        }
    }
}

test_kit::on_both_engines! {
    tokio::test: promise_6_whichever_line_cannot_be_taken_none_is,
        promise_6_a_paused_deal_keeps_the_other_lines_from_being_taken;
    tokio::test(flavor = "multi_thread", worker_threads = 2): promise_6_a_crowd_that_wants_two_deals_gets_both_or_neither;
}
