//! Each rule of the ledger by one example, over a book with one hot product, one normal one and two
//! deals. Random histories stand in `tests/stock/ledger_histories.rs`.

use std::time::Duration;

use domain::{DealId, Money, OrderId, ProductId, Quantity, Timestamp, UserId};
use uuid::Uuid;

use super::{decide, stands};
use crate::ledger::{
    book::{Book, ShelfRow},
    command::{
        Command, GateUnits, OpenDeal, Outcome, Refusal, Route, ScheduleDeal, Take, TakeLine, Taken,
    },
    deal::{DealRow, DealStatus},
    hold::{HoldEnd, HoldState},
    sums::Sums,
};

const START_US: i64 = 1_700_000_000_000_000;
const TTL: Duration = Duration::from_secs(300);
const DEAL_PRICE: i64 = 700;
const SHELF_PRICE: i64 = 1_000;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

const fn product(number: u128) -> ProductId {
    ProductId(Uuid::from_u128(number))
}

const fn deal(number: u128) -> DealId {
    DealId(Uuid::from_u128(number))
}

/// Sells from deal 11, limited to 3 units a buyer.
const HOT: ProductId = product(1);
const HOT_DEAL: DealId = deal(11);
/// Sells from deal 12, without a limit.
const WARM: ProductId = product(2);
const WARM_DEAL: DealId = deal(12);
/// Sells from its shelf.
const NORMAL: ProductId = product(3);

fn money(minor: i64) -> Money {
    Money::try_from(minor).unwrap()
}

fn filled(units: i64) -> Sums {
    Sums {
        initial: units,
        available: units,
        ..Sums::default()
    }
}

fn shelf(product_id: ProductId, deal_id: Option<DealId>) -> ShelfRow {
    ShelfRow {
        product_id,
        product_name: "shelf".into(),
        unit_price: money(SHELF_PRICE),
        deal_id,
        sums: filled(10),
    }
}

fn running(id: DealId, product_id: ProductId, per_user_limit: Option<i64>) -> DealRow {
    DealRow {
        id,
        product_id,
        product_name: "deal".into(),
        number: 1,
        planned: 10,
        status: DealStatus::Running,
        unit_price: money(DEAL_PRICE),
        per_user_limit,
        starts_at: Timestamp::from_micros(START_US),
        ends_at: None,
        ended_at: None,
        sums: filled(10),
        owed: 0,
    }
}

fn book() -> Book {
    let mut book = Book::new(Timestamp::from_micros(START_US));
    let deals = [
        running(HOT_DEAL, HOT, Some(3)),
        running(WARM_DEAL, WARM, None),
    ];
    book.deals = deals.into_iter().map(|deal| (deal.id, deal)).collect();
    let shelves = [
        shelf(HOT, Some(HOT_DEAL)),
        shelf(WARM, Some(WARM_DEAL)),
        shelf(NORMAL, None),
    ];
    book.shelves = shelves
        .into_iter()
        .map(|shelf| (shelf.product_id, shelf))
        .collect();
    book
}

/// Every figure that may change, to see that it did not.
fn figures(book: &Book) -> Vec<(Sums, i64)> {
    let deals = [HOT_DEAL, WARM_DEAL].map(|id| (book.deals[&id].sums, book.deals[&id].owed));
    let shelves = [HOT, WARM, NORMAL].map(|id| (book.shelves[&id].sums, 0));
    deals.into_iter().chain(shelves).collect()
}

fn line(product_id: ProductId, units: i64, route: Route) -> TakeLine {
    TakeLine {
        product_id,
        quantity: Quantity::try_from(units).unwrap(),
        deal_wanted: None,
        route,
        gate_units: 0,
    }
}

/// A line for which the gate took all units.
fn admitted(product_id: ProductId, units: i64, deal_id: DealId) -> TakeLine {
    TakeLine {
        gate_units: units,
        ..line(product_id, units, Route::Deal(deal_id))
    }
}

fn order(number: u128) -> OrderId {
    OrderId(id(number))
}

fn take_as(user: u128, order_number: u128, lines: &[TakeLine]) -> Command {
    Command::Take(Take {
        order_id: order(order_number),
        user_id: UserId(id(user)),
        lines: lines.to_vec(),
        hold_ttl: TTL,
    })
}

fn take(order_number: u128, lines: &[TakeLine]) -> Command {
    take_as(7, order_number, lines)
}

fn restore(order_number: u128) -> Command {
    Command::Restore {
        order_id: order(order_number),
        reason: "CANCELLED_BY_USER".into(),
    }
}

#[track_caller]
fn taken(outcome: Outcome) -> Taken {
    match outcome {
        Outcome::Taken(taken) => taken,
        other => panic!("{other:?}"),
    }
}

/// Decides a take that must be refused and change no figure but `owed`.
#[track_caller]
fn refused(book: &mut Book, command: &Command) -> Refusal {
    let before = figures(book);
    let outcome = decide(book, command);
    let sums = |figures: Vec<(Sums, i64)>| figures.into_iter().map(|(sums, _)| sums);
    assert!(
        sums(before).eq(sums(figures(book))),
        "a refusal moved units"
    );
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn owed(book: &Book, deal_id: DealId) -> i64 {
    book.deals[&deal_id].owed
}

#[test]
fn hot_and_normal_lines_are_taken_together_each_at_its_own_price() {
    let mut book = book();
    let lines = [admitted(HOT, 2, HOT_DEAL), line(NORMAL, 3, Route::Shelf)];
    let taken = taken(decide(&mut book, &take(1, &lines)));
    let told: Vec<_> = taken
        .lines
        .iter()
        .map(|line| {
            (
                line.held.deal_id,
                line.held.unit_price.minor(),
                line.remaining,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some(HOT_DEAL), DEAL_PRICE, Some(8)),
            (None, SHELF_PRICE, Some(7))
        ]
    );
    assert_eq!(taken.expires_at, book.now.plus(TTL));
    assert!(!taken.is_replay);
    assert_eq!(
        (book.deals[&HOT_DEAL].sums.held, owed(&book, HOT_DEAL)),
        (2, 0)
    );
    assert_eq!(book.shelves[&NORMAL].sums.held, 3);
}

#[test]
fn a_refused_line_leaves_the_others_untouched_and_owes_what_their_gates_took() {
    let mut book = book();
    let lines = [
        admitted(HOT, 2, HOT_DEAL),
        admitted(WARM, 2, WARM_DEAL),
        line(NORMAL, 11, Route::Shelf),
    ];
    let refusal = refused(&mut book, &take(1, &lines));
    assert_eq!(refusal, Refusal::OutOfStock(NORMAL));
    assert_eq!((owed(&book, HOT_DEAL), owed(&book, WARM_DEAL)), (2, 2));
    assert!(book.holds.is_empty());
}

#[test]
fn of_several_refusals_the_first_line_s_is_told() {
    let mut book = book();
    let lines = [
        line(HOT, 4, Route::Deal(HOT_DEAL)),
        line(NORMAL, 11, Route::Shelf),
    ];
    assert_eq!(
        refused(&mut book, &take(1, &lines)),
        Refusal::PerUserLimit(HOT)
    );
}

#[test]
fn a_changed_route_goes_before_any_refusal() {
    let mut book = book();
    let lines = [
        admitted(HOT, 11, HOT_DEAL),
        line(WARM, 1, Route::Shelf),
        line(NORMAL, 1, Route::Shelf),
    ];
    assert_eq!(decide(&mut book, &take(1, &lines)), Outcome::Rerouted);
    // Only what the ledger still has.
    assert_eq!(owed(&book, HOT_DEAL), 10);
}

#[test]
fn a_route_that_no_longer_leads_anywhere_is_looked_for_again() {
    let mut book = book();
    book.deals.get_mut(&WARM_DEAL).unwrap().status = DealStatus::Ended;
    let wrong_routes = [
        line(WARM, 1, Route::Deal(WARM_DEAL)),
        line(HOT, 1, Route::Shelf),
        line(NORMAL, 1, Route::Deal(HOT_DEAL)),
        line(NORMAL, 1, Route::Deal(deal(99))),
    ];
    for line in wrong_routes {
        let outcome = decide(&mut book, &take(1, std::slice::from_ref(&line)));
        assert_eq!(outcome, Outcome::Rerouted, "{line:?}");
    }
}

#[test]
fn a_deal_sells_only_within_its_window_and_while_it_runs() {
    let mut book = book();
    let one = |order| take(order, &[line(WARM, 1, Route::Deal(WARM_DEAL))]);
    let ends_at = book.now.plus(TTL);
    book.deals.get_mut(&WARM_DEAL).unwrap().ends_at = Some(ends_at);
    book.now = ends_at.minus(Duration::from_micros(1));
    taken(decide(&mut book, &one(1)));
    book.now = ends_at;
    assert_eq!(refused(&mut book, &one(2)), Refusal::DealNotOpen(WARM));
    let deal = book.deals.get_mut(&WARM_DEAL).unwrap();
    (deal.ends_at, deal.starts_at) = (None, ends_at.plus(TTL));
    assert_eq!(refused(&mut book, &one(2)), Refusal::DealNotOpen(WARM));
    let deal = book.deals.get_mut(&WARM_DEAL).unwrap();
    (deal.status, deal.starts_at) = (DealStatus::Paused, ends_at);
    assert_eq!(refused(&mut book, &one(2)), Refusal::DealNotOpen(WARM));
}

#[test]
fn a_deal_that_is_insisted_on_must_be_the_one_that_sells() {
    let mut book = book();
    let insisting = |line: TakeLine, deal_id| {
        let line = TakeLine {
            deal_wanted: Some(deal_id),
            ..line
        };
        take(1, &[line])
    };
    for line in [
        line(NORMAL, 1, Route::Shelf),
        line(HOT, 1, Route::Deal(HOT_DEAL)),
    ] {
        let product_id = line.product_id;
        assert_eq!(
            refused(&mut book, &insisting(line, WARM_DEAL)),
            Refusal::DealNotOpen(product_id)
        );
    }
    let right = insisting(line(HOT, 1, Route::Deal(HOT_DEAL)), HOT_DEAL);
    taken(decide(&mut book, &right));
}

#[test]
fn an_unknown_product_is_refused() {
    let mut book = book();
    let nowhere = take(1, &[line(product(99), 1, Route::Shelf)]);
    assert_eq!(
        refused(&mut book, &nowhere),
        Refusal::ProductNotFound(product(99))
    );
}

#[test]
fn too_few_units_owe_the_gate_only_what_the_ledger_still_has() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(WARM, 8, Route::Deal(WARM_DEAL))]),
    ));
    let five = take(2, &[admitted(WARM, 5, WARM_DEAL)]);
    assert_eq!(refused(&mut book, &five), Refusal::OutOfStock(WARM));
    assert_eq!(owed(&book, WARM_DEAL), 2);
    taken(decide(
        &mut book,
        &take(3, &[line(WARM, 2, Route::Deal(WARM_DEAL))]),
    ));
    let one = take(4, &[admitted(WARM, 1, WARM_DEAL)]);
    assert_eq!(refused(&mut book, &one), Refusal::OutOfStock(WARM));
    assert_eq!(owed(&book, WARM_DEAL), 2, "nothing left, nothing owed");
}

#[test]
fn a_buyer_never_exceeds_the_limit_and_a_release_uncounts_him() {
    let mut book = book();
    let two = |order| take(order, &[admitted(HOT, 2, HOT_DEAL)]);
    taken(decide(&mut book, &two(1)));
    assert_eq!(refused(&mut book, &two(2)), Refusal::PerUserLimit(HOT));
    assert_eq!(
        owed(&book, HOT_DEAL),
        2,
        "what the gate took comes back whole"
    );
    taken(decide(
        &mut book,
        &take_as(8, 3, &[admitted(HOT, 2, HOT_DEAL)]),
    ));
    decide(&mut book, &restore(1));
    taken(decide(&mut book, &two(2)));
    assert_eq!(book.buyers[&(HOT_DEAL, UserId(id(7)))], 2);
}

#[test]
fn bought_units_count_towards_the_limit() {
    let mut book = book();
    let two = |order| take(order, &[admitted(HOT, 2, HOT_DEAL)]);
    taken(decide(&mut book, &two(1)));
    decide(&mut book, &Command::Confirm(order(1)));
    assert_eq!(refused(&mut book, &two(2)), Refusal::PerUserLimit(HOT));
}

#[test]
fn a_replay_is_answered_at_its_own_price_and_deadline_and_takes_nothing() {
    let mut book = book();
    let two = take(1, &[admitted(WARM, 2, WARM_DEAL)]);
    let first = taken(decide(&mut book, &two));
    book.now = book.now.plus(Duration::from_secs(1));
    let deal = book.deals.get_mut(&WARM_DEAL).unwrap();
    (deal.unit_price, deal.product_name) = (money(1), "renamed".into());
    let sums = deal.sums;
    let again = taken(decide(&mut book, &two));
    assert!(again.is_replay);
    assert_eq!(again.expires_at, first.expires_at);
    assert_eq!(again.lines[0].held, first.lines[0].held);
    assert_eq!(again.lines[0].remaining, None);
    assert_eq!(book.deals[&WARM_DEAL].sums, sums);
    assert_eq!(owed(&book, WARM_DEAL), 2, "the gate took for it once more");
}

#[test]
fn a_replay_is_the_same_whatever_its_route() {
    let mut book = book();
    taken(decide(&mut book, &take(1, &[admitted(WARM, 2, WARM_DEAL)])));
    decide(&mut book, &Command::EndDeal(WARM_DEAL));
    let again = decide(&mut book, &take(1, &[line(WARM, 2, Route::Shelf)]));
    assert_eq!(taken(again).lines[0].held.deal_id, Some(WARM_DEAL));
}

#[test]
fn a_sold_hold_answers_its_replay_even_after_its_deadline() {
    let mut book = book();
    let one = take(1, &[line(NORMAL, 1, Route::Shelf)]);
    taken(decide(&mut book, &one));
    decide(&mut book, &Command::Confirm(order(1)));
    book.now = book.now.plus(TTL * 2);
    assert!(taken(decide(&mut book, &one)).is_replay);
}

#[test]
fn another_request_under_a_used_order_id_is_refused() {
    let mut book = book();
    let hot = line(HOT, 1, Route::Deal(HOT_DEAL));
    let normal = line(NORMAL, 2, Route::Shelf);
    taken(decide(&mut book, &take(1, &[hot.clone(), normal.clone()])));
    let others = [
        take(1, std::slice::from_ref(&normal)),
        take(1, &[hot.clone(), line(NORMAL, 1, Route::Shelf)]),
        take(1, &[line(WARM, 1, Route::Deal(WARM_DEAL)), normal.clone()]),
        take_as(8, 1, &[hot, normal]),
    ];
    for other in others {
        assert_eq!(refused(&mut book, &other), Refusal::OrderIdReused);
    }
}

#[test]
fn a_tombstone_refuses_a_late_take() {
    let mut book = book();
    assert!(matches!(
        decide(&mut book, &restore(1)),
        Outcome::Ended(HoldEnd::Released { .. })
    ));
    let late = take(1, &[admitted(WARM, 2, WARM_DEAL)]);
    assert_eq!(refused(&mut book, &late), Refusal::HoldEnded);
    assert_eq!(owed(&book, WARM_DEAL), 2);
    assert_eq!(
        decide(&mut book, &Command::Confirm(order(1))),
        Outcome::Refused(Refusal::HoldEnded)
    );
}

#[test]
fn a_hold_is_confirmed_before_its_deadline_but_not_at_it() {
    for (late_by, is_sold) in [(1, false), (0, false), (-1, true)] {
        let mut book = book();
        let hold = taken(decide(
            &mut book,
            &take(1, &[line(NORMAL, 1, Route::Shelf)]),
        ));
        book.now = Timestamp::from_micros(hold.expires_at.as_micros() + late_by);
        let outcome = decide(&mut book, &Command::Confirm(order(1)));
        if is_sold {
            assert_eq!(outcome, Outcome::Ended(HoldEnd::Sold { at: book.now }));
        } else {
            assert_eq!(outcome, Outcome::Refused(Refusal::HoldEnded));
            assert_eq!(book.shelves[&NORMAL].sums.held, 1);
        }
    }
}

#[test]
fn a_hold_past_its_deadline_is_no_replay_even_before_it_is_released() {
    let mut book = book();
    let one = take(1, &[line(NORMAL, 1, Route::Shelf)]);
    taken(decide(&mut book, &one));
    book.now = book.now.plus(TTL);
    assert_eq!(refused(&mut book, &one), Refusal::HoldEnded);
}

#[test]
fn a_second_confirm_changes_nothing() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(NORMAL, 1, Route::Shelf)]),
    ));
    let first = decide(&mut book, &Command::Confirm(order(1)));
    let before = figures(&book);
    book.now = book.now.plus(TTL * 2);
    assert_eq!(decide(&mut book, &Command::Confirm(order(1))), first);
    assert_eq!(figures(&book), before);
}

#[test]
fn a_second_restore_tells_when_and_why_the_first_released() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(WARM, 4, Route::Deal(WARM_DEAL))]),
    ));
    let first = decide(&mut book, &restore(1));
    assert_eq!(owed(&book, WARM_DEAL), 4);
    book.now = book.now.plus(TTL);
    let other_reason = Command::Restore {
        order_id: order(1),
        reason: "TIMED_OUT".into(),
    };
    assert_eq!(decide(&mut book, &other_reason), first);
    assert_eq!(owed(&book, WARM_DEAL), 4, "released once, owed once");
    assert_eq!(book.deals[&WARM_DEAL].sums, filled(10));
}

#[test]
fn a_sold_hold_is_not_restored() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(NORMAL, 1, Route::Shelf)]),
    ));
    let sold = decide(&mut book, &Command::Confirm(order(1)));
    assert_eq!(decide(&mut book, &restore(1)), sold);
    assert_eq!(book.shelves[&NORMAL].sums.sold, 1);
}

#[test]
fn an_unknown_order_cannot_be_confirmed_and_does_not_become_known_by_it() {
    let mut book = book();
    assert_eq!(
        decide(&mut book, &Command::Confirm(order(1))),
        Outcome::Unknown
    );
    taken(decide(
        &mut book,
        &take(1, &[line(NORMAL, 1, Route::Shelf)]),
    ));
}

#[test]
fn a_hold_expires_only_once_its_grace_is_over() {
    let mut book = book();
    let grace = Duration::from_secs(60);
    let expire = Command::Expire {
        order_id: order(1),
        grace,
    };
    assert_eq!(
        decide(&mut book, &expire),
        Outcome::Done,
        "nothing to expire"
    );
    let hold = taken(decide(
        &mut book,
        &take(1, &[line(NORMAL, 1, Route::Shelf)]),
    ));
    book.now = hold.expires_at.plus(grace).minus(Duration::from_micros(1));
    assert_eq!(decide(&mut book, &expire), Outcome::Done);
    book.now = hold.expires_at.plus(grace);
    let expected = Outcome::Ended(HoldEnd::Released {
        at: book.now,
        reason: "EXPIRED".into(),
    });
    assert_eq!(decide(&mut book, &expire), expected);
    assert_eq!(book.shelves[&NORMAL].sums, filled(10));
    assert_eq!(decide(&mut book, &expire), Outcome::Done);
}

#[test]
fn a_sold_hold_does_not_expire() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(NORMAL, 1, Route::Shelf)]),
    ));
    decide(&mut book, &Command::Confirm(order(1)));
    book.now = book.now.plus(TTL * 2);
    let expire = Command::Expire {
        order_id: order(1),
        grace: Duration::ZERO,
    };
    assert_eq!(decide(&mut book, &expire), Outcome::Done);
    assert!(matches!(
        book.holds[&order(1)].state,
        HoldState::Ended(HoldEnd::Sold { .. })
    ));
}

#[test]
fn a_release_after_the_deal_s_end_goes_to_the_shelf_and_owes_nothing() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(HOT, 3, Route::Deal(HOT_DEAL))]),
    ));
    assert_eq!(
        decide(&mut book, &Command::EndDeal(HOT_DEAL)),
        stands(DealStatus::Ended, true)
    );
    let shelf = book.shelves[&HOT].sums;
    assert_eq!((shelf.available, shelf.restocked), (17, 7));
    decide(&mut book, &restore(1));
    let (deal, shelf) = (&book.deals[&HOT_DEAL], &book.shelves[&HOT]);
    assert_eq!((deal.sums.held, deal.sums.returned, deal.owed), (0, 10, 0));
    assert_eq!((shelf.sums.available, shelf.deal_id), (20, None));
    assert!(deal.sums.is_sound() && shelf.sums.is_sound());
    assert_eq!(book.buyers[&(HOT_DEAL, UserId(id(7)))], 0);
}

#[test]
fn a_hold_outlives_its_deal_and_is_sold_there() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(WARM, 3, Route::Deal(WARM_DEAL))]),
    ));
    decide(&mut book, &Command::EndDeal(WARM_DEAL));
    decide(&mut book, &Command::Confirm(order(1)));
    let sums = book.deals[&WARM_DEAL].sums;
    assert_eq!(
        (sums.available, sums.held, sums.sold, sums.returned),
        (0, 0, 3, 7)
    );
}

#[test]
fn ending_a_deal_twice_moves_its_units_once() {
    let mut book = book();
    decide(&mut book, &Command::EndDeal(WARM_DEAL));
    let before = figures(&book);
    assert_eq!(
        decide(&mut book, &Command::EndDeal(WARM_DEAL)),
        stands(DealStatus::Ended, false)
    );
    assert_eq!(figures(&book), before);
    assert_eq!(
        decide(&mut book, &Command::EndDeal(deal(99))),
        Outcome::Unknown
    );
}

fn open(units: Option<i64>) -> OpenDeal {
    OpenDeal {
        deal_id: deal(13),
        product_id: NORMAL,
        units,
        unit_price: None,
        per_user_limit: None,
        ends_at: None,
    }
}

#[test]
fn a_deal_opens_with_units_of_the_shelf_which_then_sells_no_more() {
    let mut book = book();
    let opened = decide(&mut book, &Command::OpenDeal(open(Some(4))));
    assert_eq!(opened, Outcome::DealOpen(deal(13)));
    let shelf = book.shelves[&NORMAL].sums;
    assert_eq!((shelf.available, shelf.returned), (6, 4));
    assert_eq!(book.deals[&deal(13)].sums, filled(4));
    assert_eq!(book.deals[&deal(13)].unit_price.minor(), SHELF_PRICE);
    let stale = take(1, &[line(NORMAL, 1, Route::Shelf)]);
    assert_eq!(decide(&mut book, &stale), Outcome::Rerouted);
}

#[test]
fn opening_an_open_deal_changes_nothing_whatever_the_terms() {
    let mut book = book();
    decide(&mut book, &Command::OpenDeal(open(None)));
    let before = book.clone();
    for units in [None, Some(0), Some(1), Some(i64::MAX)] {
        let again = OpenDeal {
            deal_id: deal(14),
            ends_at: Some(Timestamp::from_micros(0)),
            ..open(units)
        };
        let outcome = decide(&mut book, &Command::OpenDeal(again));
        assert_eq!(outcome, Outcome::DealOpen(deal(13)));
    }
    assert_eq!(book, before);
}

#[test]
fn a_deal_does_not_open_without_units_product_or_future() {
    let mut book = book();
    for units in [-1, 0, 11, i64::MAX] {
        let refusal = refused(&mut book, &Command::OpenDeal(open(Some(units))));
        assert_eq!(refusal, Refusal::OutOfStock(NORMAL), "{units}");
    }
    let unknown = OpenDeal {
        product_id: product(99),
        ..open(None)
    };
    assert_eq!(
        refused(&mut book, &Command::OpenDeal(unknown)),
        Refusal::ProductNotFound(product(99))
    );
    let past = OpenDeal {
        ends_at: Some(book.now),
        ..open(None)
    };
    assert_eq!(
        decide(&mut book, &Command::OpenDeal(past)),
        Outcome::EndsInThePast
    );
    let adjust = Command::AdjustShelf {
        product_id: NORMAL,
        delta: -10,
    };
    decide(&mut book, &adjust);
    assert_eq!(
        refused(&mut book, &Command::OpenDeal(open(None))),
        Refusal::OutOfStock(NORMAL)
    );
}

#[test]
fn a_shelf_is_adjusted_as_far_as_its_units_go() {
    let mut book = book();
    let adjust = |delta| Command::AdjustShelf {
        product_id: NORMAL,
        delta,
    };
    assert_eq!(
        decide(&mut book, &adjust(5)),
        Outcome::Adjusted { available: 15 }
    );
    assert_eq!(
        decide(&mut book, &adjust(-15)),
        Outcome::Adjusted { available: 0 }
    );
    let sums = book.shelves[&NORMAL].sums;
    assert_eq!((sums.restocked, sums.written_off), (5, 15));
    for delta in [-1, i64::MIN] {
        assert_eq!(
            refused(&mut book, &adjust(delta)),
            Refusal::OutOfStock(NORMAL)
        );
    }
    assert_eq!(decide(&mut book, &adjust(i64::MAX)), Outcome::Failed);
    assert_eq!(book.shelves[&NORMAL].sums, sums);
    assert!(sums.is_sound());
}

#[test]
fn an_amount_that_money_cannot_count_is_refused() {
    let mut book = book();
    book.shelves.get_mut(&NORMAL).unwrap().unit_price = money(Money::MAX_MINOR);
    let two = take(1, &[line(NORMAL, 2, Route::Shelf)]);
    assert_eq!(refused(&mut book, &two), Refusal::AmountTooLarge(NORMAL));
    // One is countable, but not together with another line.
    let with_another = take(
        1,
        &[admitted(WARM, 1, WARM_DEAL), line(NORMAL, 1, Route::Shelf)],
    );
    assert_eq!(
        refused(&mut book, &with_another),
        Refusal::AmountTooLarge(NORMAL)
    );
    assert_eq!(owed(&book, WARM_DEAL), 1);
    taken(decide(
        &mut book,
        &take(1, &[line(NORMAL, 1, Route::Shelf)]),
    ));
}

#[test]
fn what_a_gate_took_for_nothing_is_owed_while_the_deal_lasts() {
    let mut book = book();
    let give_back = |deal_id, units| {
        Command::GiveBack(vec![GateUnits {
            product_id: WARM,
            deal_id,
            units,
        }])
    };
    assert_eq!(decide(&mut book, &give_back(WARM_DEAL, 3)), Outcome::Done);
    assert_eq!(owed(&book, WARM_DEAL), 3);
    decide(&mut book, &give_back(WARM_DEAL, 0));
    decide(&mut book, &give_back(deal(99), 1));
    decide(&mut book, &Command::EndDeal(WARM_DEAL));
    decide(&mut book, &give_back(WARM_DEAL, 3));
    assert_eq!(owed(&book, WARM_DEAL), 3);
}

#[test]
fn a_hold_whose_rows_are_not_locked_does_not_end() {
    let mut book = book();
    taken(decide(
        &mut book,
        &take(1, &[line(WARM, 3, Route::Deal(WARM_DEAL))]),
    ));
    let deal = book.deals.remove(&WARM_DEAL).unwrap();
    for command in [Command::Confirm(order(1)), restore(1)] {
        assert_eq!(decide(&mut book, &command), Outcome::Failed);
        assert_eq!(book.holds[&order(1)].state, HoldState::Open);
    }
    book.deals.insert(WARM_DEAL, deal);
    assert!(matches!(
        decide(&mut book, &restore(1)),
        Outcome::Ended(HoldEnd::Released { .. })
    ));
}

/// Of the normal product, from `starts` to `ends` seconds after the start.
fn plan(number: u128, units: i64, starts: u64, ends: u64) -> ScheduleDeal {
    let at = |seconds| Timestamp::from_micros(START_US).plus(Duration::from_secs(seconds));
    ScheduleDeal {
        deal_id: deal(number),
        product_id: NORMAL,
        units,
        unit_price: money(DEAL_PRICE),
        per_user_limit: None,
        starts_at: at(starts),
        ends_at: at(ends),
    }
}

fn schedule(book: &mut Book, plan: ScheduleDeal) -> Outcome {
    decide(book, &Command::ScheduleDeal(plan))
}

fn at_second(book: &mut Book, second: u64) {
    book.now = Timestamp::from_micros(START_US).plus(Duration::from_secs(second));
}

#[test]
fn a_scheduled_deal_leaves_the_shelf_alone_until_it_opens_at_its_time() {
    let mut book = book();
    let planned = schedule(&mut book, plan(21, 4, 100, 200));
    assert_eq!(planned, stands(DealStatus::Scheduled, true));
    let start = Command::StartScheduled(deal(21));
    assert_eq!(
        decide(&mut book, &start),
        stands(DealStatus::Scheduled, false)
    );
    taken(decide(
        &mut book,
        &take(1, &[line(NORMAL, 3, Route::Shelf)]),
    ));
    at_second(&mut book, 100);
    assert_eq!(decide(&mut book, &start), stands(DealStatus::Running, true));
    assert_eq!(
        decide(&mut book, &start),
        stands(DealStatus::Running, false)
    );
    let (opened, shelf) = (&book.deals[&deal(21)], &book.shelves[&NORMAL]);
    assert_eq!((opened.sums, shelf.sums.available), (filled(4), 3));
    assert_eq!(shelf.deal_id, Some(deal(21)));
}

#[test]
fn a_deal_opens_with_what_the_shelf_has_if_that_is_less_than_planned() {
    let mut book = book();
    schedule(&mut book, plan(21, 40, 0, 200));
    decide(&mut book, &Command::StartScheduled(deal(21)));
    let opened = &book.deals[&deal(21)];
    assert_eq!((opened.planned, opened.sums), (40, filled(10)));
}

#[test]
fn a_deal_waits_for_another_to_end_and_is_over_when_its_window_is() {
    for (ends_in_time, status) in [(true, DealStatus::Running), (false, DealStatus::Ended)] {
        let mut book = book();
        schedule(&mut book, plan(21, 4, 100, 200));
        let by_hand = OpenDeal {
            product_id: NORMAL,
            deal_id: deal(22),
            ..open(Some(2))
        };
        decide(&mut book, &Command::OpenDeal(by_hand));
        at_second(&mut book, 100);
        let start = Command::StartScheduled(deal(21));
        assert_eq!(
            decide(&mut book, &start),
            stands(DealStatus::Scheduled, false)
        );
        if ends_in_time {
            decide(&mut book, &Command::EndDeal(deal(22)));
        } else {
            at_second(&mut book, 200);
        }
        assert_eq!(decide(&mut book, &start), stands(status, true));
        let shelf = book.shelves[&NORMAL].clone();
        let expected = if ends_in_time { deal(21) } else { deal(22) };
        assert_eq!(shelf.deal_id, Some(expected));
        assert!(shelf.sums.is_sound());
    }
}

#[test]
fn windows_of_a_product_do_not_overlap_but_may_touch() {
    let mut book = book();
    schedule(&mut book, plan(21, 1, 100, 200));
    for (starts, ends) in [(0, 101), (199, 300), (120, 130), (50, 250)] {
        let overlaps = schedule(&mut book, plan(22, 1, starts, ends));
        assert_eq!(overlaps, Outcome::Overlaps(deal(21)), "{starts} {ends}");
    }
    for (number, starts, ends) in [(23, 50, 100), (24, 200, 300)] {
        let fits = schedule(&mut book, plan(number, 1, starts, ends));
        assert_eq!(fits, stands(DealStatus::Scheduled, true));
    }
    // What is over takes no time any more.
    decide(&mut book, &Command::CancelDeal(deal(21)));
    let fits = schedule(&mut book, plan(25, 1, 100, 200));
    assert_eq!(fits, stands(DealStatus::Scheduled, true));
}

#[test]
fn a_plan_that_is_over_or_of_no_product_is_refused() {
    let mut book = book();
    at_second(&mut book, 200);
    let late = schedule(&mut book, plan(21, 1, 100, 200));
    assert_eq!(late, Outcome::EndsInThePast);
    let mut of_nothing = plan(21, 1, 300, 400);
    of_nothing.product_id = product(99);
    assert_eq!(
        schedule(&mut book, of_nothing),
        Outcome::Refused(Refusal::ProductNotFound(product(99)))
    );
}

#[test]
fn a_plan_can_be_dropped_until_it_opens() {
    let mut book = book();
    schedule(&mut book, plan(21, 4, 0, 200));
    for has_changed in [true, false] {
        let dropped = decide(&mut book, &Command::CancelDeal(deal(21)));
        assert_eq!(dropped, stands(DealStatus::Ended, has_changed));
    }
    let never = decide(&mut book, &Command::StartScheduled(deal(21)));
    assert_eq!(never, stands(DealStatus::Ended, false));
    schedule(&mut book, plan(22, 4, 0, 200));
    decide(&mut book, &Command::StartScheduled(deal(22)));
    for _ in 0..2 {
        let too_late = decide(&mut book, &Command::CancelDeal(deal(22)));
        assert_eq!(
            too_late,
            Outcome::Refused(Refusal::DealNotScheduled(NORMAL))
        );
        decide(&mut book, &Command::EndDeal(deal(22)));
    }
}

#[test]
fn a_paused_deal_keeps_its_units_and_sells_none() {
    let mut book = book();
    for has_changed in [true, false] {
        let paused = decide(&mut book, &Command::PauseDeal(WARM_DEAL));
        assert_eq!(paused, stands(DealStatus::Paused, has_changed));
    }
    let refused = decide(&mut book, &take(1, &[admitted(WARM, 2, WARM_DEAL)]));
    assert_eq!(refused, Outcome::Refused(Refusal::DealNotOpen(WARM)));
    assert_eq!(book.deals[&WARM_DEAL].owed, 2, "what its gate took is owed");
    assert_eq!(book.deals[&WARM_DEAL].sums, filled(10));
    for has_changed in [true, false] {
        let resumed = decide(&mut book, &Command::ResumeDeal(WARM_DEAL));
        assert_eq!(resumed, stands(DealStatus::Running, has_changed));
    }
    taken(decide(&mut book, &take(2, &[admitted(WARM, 2, WARM_DEAL)])));
}

fn restock(book: &mut Book, delta: i64) -> Outcome {
    let deal_id = WARM_DEAL;
    decide(book, &Command::RestockDeal { deal_id, delta })
}

#[test]
fn units_added_to_a_deal_are_owed_and_those_written_off_are_not() {
    for status in [DealStatus::Running, DealStatus::Paused] {
        let mut book = book();
        book.deals.get_mut(&WARM_DEAL).unwrap().status = status;
        assert_eq!(restock(&mut book, 5), stands(status, true));
        assert_eq!(restock(&mut book, -7), stands(status, true));
        let row = &book.deals[&WARM_DEAL];
        let figures = (row.sums.available, row.sums.restocked, row.sums.written_off);
        assert_eq!((figures, row.owed), ((8, 5, 7), 5));
        assert!(row.sums.is_sound());
    }
}

#[test]
fn no_more_is_written_off_than_is_available() {
    let mut book = book();
    taken(decide(&mut book, &take(1, &[admitted(WARM, 4, WARM_DEAL)])));
    let before = figures(&book);
    for delta in [-7, i64::MIN] {
        let refused = restock(&mut book, delta);
        assert_eq!(refused, Outcome::Refused(Refusal::OutOfStock(WARM)));
    }
    assert_eq!(restock(&mut book, i64::MAX), Outcome::Failed);
    assert_eq!(figures(&book), before);
    assert_eq!(restock(&mut book, -6), stands(DealStatus::Running, true));
}

#[test]
fn a_deal_that_is_not_open_cannot_be_paused_resumed_or_restocked() {
    let mut book = book();
    decide(&mut book, &Command::EndDeal(WARM_DEAL));
    schedule(&mut book, plan(21, 4, 100, 200));
    let before = book.clone();
    for (deal_id, product_id) in [(WARM_DEAL, WARM), (deal(21), NORMAL)] {
        for command in [
            Command::PauseDeal(deal_id),
            Command::ResumeDeal(deal_id),
            Command::RestockDeal { deal_id, delta: 1 },
        ] {
            let refused = decide(&mut book, &command);
            assert_eq!(refused, Outcome::Refused(Refusal::DealNotOpen(product_id)));
        }
    }
    assert_eq!(book, before);
}

#[test]
fn nobody_hears_that_a_paused_deal_is_sold_out() {
    let mut book = book();
    restock(&mut book, -10);
    assert!(book.left().iter().any(|left| left.is_empty));
    decide(&mut book, &Command::PauseDeal(WARM_DEAL));
    assert!(!book.left().iter().any(|left| left.is_empty));
}

#[test]
fn nobody_hears_that_a_shelf_is_sold_out_in_whose_place_a_deal_sells() {
    let mut book = book();
    let all = Command::OpenDeal(OpenDeal {
        deal_id: deal(21),
        product_id: NORMAL,
        units: None,
        unit_price: None,
        per_user_limit: None,
        ends_at: None,
    });
    assert_eq!(decide(&mut book, &all), Outcome::DealOpen(deal(21)));
    assert_eq!(book.shelves[&NORMAL].sums.available, 0);
    assert!(!book.left().iter().any(|left| left.is_empty));
}
