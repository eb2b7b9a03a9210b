//! Sales that are taken back: an order cancelled after its confirmation.

use std::time::Duration;

use domain::UserId;
use futures::future::join_all;
use product_service::{
    ledger::{
        command::{Command, Outcome, Owed, Refusal},
        hold::{HoldEnd, HoldState},
    },
    stock::StockError,
};
use sql::Engine;

use crate::{
    bed::{BUYER, Bed, alone, buy, deal_line, order, restore, shelf_line, take, taken, user},
    shop::{Shop, refusal},
};

fn take_back(number: u128) -> Command {
    Command::Return {
        order_id: order(number),
        reason: "CANCELLED_BY_USER".into(),
    }
}

fn is_returned(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Ended(HoldEnd::Returned { reason, .. }) if reason == "CANCELLED_BY_USER")
}

async fn units_of_a_running_deal_return_to_it_and_its_gate_is_owed_them(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, Some(3)).await;
    bed.ask(buy(1, vec![deal_line(hot, 3)])).await;
    bed.ask(Command::Confirm(order(1))).await;
    let settled = bed.settle(&[alone(take_back(1))]).await;
    assert!(is_returned(&settled.outcomes[0][0]), "{settled:?}");
    let debt = Owed {
        product_id: hot.0,
        deal_number: 1,
        owed: 3,
    };
    assert_eq!(settled.owed, [debt]);
    let sums = bed.deal(hot.1).await.sums;
    assert_eq!((sums.available, sums.held, sums.sold), (10, 0, 0));
    // The buyer's limit is free again.
    taken(&bed.ask(buy(2, vec![deal_line(hot, 3)])).await);
    let (holds, _) = bed.store.find_holds(&[order(1)]).await.unwrap();
    assert!(matches!(
        holds[&order(1)].state,
        HoldState::Ended(HoldEnd::Returned { .. })
    ));
}

async fn units_of_an_ended_deal_return_to_the_shelf_through_the_deals_account(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, Some(5)).await;
    bed.ask(buy(1, vec![deal_line(hot, 4)])).await;
    bed.ask(Command::Confirm(order(1))).await;
    bed.ask(Command::EndDeal(hot.1)).await;
    assert!(is_returned(&bed.ask(take_back(1)).await));
    let (deal, shelf) = (bed.deal(hot.1).await, bed.shelf(hot.0).await);
    assert_eq!(
        (deal.sums.sold, deal.sums.returned, deal.sums.available),
        (0, 10, 0)
    );
    assert_eq!(deal.owed, 0, "a deal that has ended has no gate");
    assert_eq!(shelf.sums.available, 10);
    assert!(deal.sums.is_sound() && shelf.sums.is_sound());
    let bought = bed.store.find_buyers(&[(hot.1, BUYER)]).await.unwrap();
    assert_eq!(bought[&(hot.1, BUYER)], 0);
}

async fn the_lines_of_a_mixed_order_return_together(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 10, None).await;
    let normal = bed.product(2, 10).await;
    bed.ask(buy(1, vec![deal_line(hot, 2), shelf_line(normal, 3)]))
        .await;
    bed.ask(Command::Confirm(order(1))).await;
    assert!(is_returned(&bed.ask(take_back(1)).await));
    let (deal, shelf) = (bed.deal(hot.1).await.sums, bed.shelf(normal).await.sums);
    assert_eq!((deal.available, deal.sold), (10, 0));
    assert_eq!((shelf.available, shelf.sold), (10, 0));
}

async fn a_sale_is_taken_back_once_whoever_asks_and_how_often(engine: Engine) {
    let bed = Bed::new(engine).await;
    let normal = bed.product(1, 10).await;
    bed.ask(buy(1, vec![shelf_line(normal, 4)])).await;
    // Confirmed and taken back in one transaction, and again in it.
    let all = vec![Command::Confirm(order(1)), take_back(1), take_back(1)];
    let outcomes = bed.ask_all(all).await;
    assert!(matches!(outcomes[0], Outcome::Ended(HoldEnd::Sold { .. })));
    assert!(is_returned(&outcomes[1]));
    assert_eq!(outcomes[1], outcomes[2]);
    let later = [take_back(1), restore(1)];
    for command in later {
        assert_eq!(bed.ask(command).await, outcomes[1], "at its own time");
    }
    for (command, refusal) in [
        (Command::Confirm(order(1)), Refusal::HoldEnded),
        (buy(1, vec![shelf_line(normal, 4)]), Refusal::HoldEnded),
    ] {
        assert_eq!(bed.ask(command).await, Outcome::Refused(refusal));
    }
    let expire = Command::Expire {
        order_id: order(1),
        grace: Duration::ZERO,
    };
    assert_eq!(bed.ask(expire).await, Outcome::Done);
    assert_eq!(bed.shelf(normal).await.sums.available, 10);
}

async fn what_was_not_sold_is_released_and_what_was_released_stays_so(engine: Engine) {
    let bed = Bed::new(engine).await;
    let normal = bed.product(1, 10).await;
    bed.ask(buy(1, vec![shelf_line(normal, 1)])).await;
    let released = bed.ask(take_back(1)).await;
    assert!(
        matches!(released, Outcome::Ended(HoldEnd::Released { .. })),
        "{released:?}"
    );
    assert_eq!(bed.ask(take_back(1)).await, released);
    assert_eq!(bed.shelf(normal).await.sums.available, 10);
}

async fn an_unknown_order_is_not_buried_by_taking_it_back_but_a_tombstone_stays_one(
    engine: Engine,
) {
    let bed = Bed::new(engine).await;
    let normal = bed.product(1, 10).await;
    assert_eq!(bed.ask(take_back(1)).await, Outcome::Unknown);
    taken(&bed.ask(buy(1, vec![shelf_line(normal, 1)])).await);
    let buried = bed.ask(restore(2)).await;
    assert_eq!(bed.ask(take_back(2)).await, buried);
    assert_eq!(bed.shelf(normal).await.sums.held, 1);
}

async fn a_unit_taken_back_is_sold_again_through_the_gate(engine: Engine) {
    let shop = Shop::new(engine).await;
    let (replica, other) = (shop.replica().await, shop.replica().await);
    let product = shop.bed.product(1, 1).await;
    replica.start(product, None).await;
    replica.buy(1, product, 1).await.unwrap();
    replica.stock.confirm(order(1), None).await.unwrap();
    assert_eq!(
        refusal(other.buy(2, product, 1).await),
        Refusal::OutOfStock(product)
    );
    let reason = || "CANCELLED_BY_USER".to_owned();
    let returned = replica.stock.take_back(order(1), reason(), None).await;
    assert!(matches!(returned, Ok(HoldEnd::Returned { .. })));
    replica.agrees(product).await;
    other.buy(3, product, 1).await.unwrap();
    let unknown = replica.stock.take_back(order(9), reason(), None).await;
    assert!(matches!(unknown, Err(StockError::NotFound)), "{unknown:?}");
}

async fn confirms_releases_and_returns_at_once_leave_every_unit_in_one_place(engine: Engine) {
    let bed = Bed::new(engine).await;
    let hot = bed.hot_product(1, 40, Some(2)).await;
    let buyer = |number: u128| -> UserId { user(100 + number) };
    for number in 1..=10 {
        let lines = vec![deal_line(hot, 2)];
        taken(&bed.ask(take(order(number), buyer(number), lines)).await);
    }
    let command = |number: u128, nth: u128| match nth {
        0 | 1 => Command::Confirm(order(number)),
        2 => restore(number),
        _ => take_back(number),
    };
    let asks = (1..=10).flat_map(|number| (0..5).map(move |nth| (number, nth)));
    join_all(asks.map(|(number, nth)| bed.ask(command(number, nth)))).await;
    let orders: Vec<_> = (1..=10).map(order).collect();
    let (holds, _) = bed.store.find_holds(&orders).await.unwrap();
    for hold in holds.values() {
        // Whichever came first, the last thing that can happen is that the units are free.
        let is_free = !matches!(
            hold.state,
            HoldState::Open | HoldState::Ended(HoldEnd::Sold { .. })
        );
        assert!(is_free, "{hold:?}");
    }
    let deal = bed.deal(hot.1).await;
    assert_eq!(
        (deal.sums.available, deal.sums.held, deal.sums.sold),
        (40, 0, 0)
    );
    assert_eq!(deal.owed, 20);
    let buyers: Vec<_> = (1..=10).map(|number| (hot.1, buyer(number))).collect();
    let bought = bed.store.find_buyers(&buyers).await.unwrap();
    assert!(bought.values().all(|units| *units == 0), "{bought:?}");
}

test_kit::on_both_engines! {
    tokio::test: units_of_a_running_deal_return_to_it_and_its_gate_is_owed_them,
        units_of_an_ended_deal_return_to_the_shelf_through_the_deals_account,
        the_lines_of_a_mixed_order_return_together,
        a_sale_is_taken_back_once_whoever_asks_and_how_often,
        what_was_not_sold_is_released_and_what_was_released_stays_so,
        an_unknown_order_is_not_buried_by_taking_it_back_but_a_tombstone_stays_one,
        a_unit_taken_back_is_sold_again_through_the_gate,
        confirms_releases_and_returns_at_once_leave_every_unit_in_one_place;
}
