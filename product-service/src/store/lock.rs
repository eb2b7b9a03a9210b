//! Locks all rows that the commands of a transaction may move, before anything is decided.

use std::collections::BTreeSet;

use domain::{DealId, OrderId, ProductId, Timestamp, UserId};
use sql::Transaction;

use crate::{
    ledger::{
        book::Book,
        command::{Command, Route},
        deal::DealStatus,
        hold::{HeldLine, HoldEnd, HoldState},
    },
    store::{buyers, deals, holds, schedule, shelves},
};

/// The rows, locked in the one order that keeps transactions from waiting for each other in a circle:
/// holds, deals, shelves, each sorted.
pub(super) async fn lock(
    tx: &mut Transaction<'_>,
    commands: &[&Command],
    clock: Timestamp,
) -> Result<Book, sqlx::Error> {
    let mut book = Book::new(clock);
    let order_ids: BTreeSet<OrderId> = commands.iter().filter_map(|c| c.order_id()).collect();
    if !order_ids.is_empty() {
        let order_ids: Vec<OrderId> = order_ids.into_iter().collect();
        for hold in holds::lock(tx, &order_ids).await? {
            book.holds.insert(hold.order_id, hold);
        }
    }
    let places = Places::of(commands, &book);
    if !places.deals.is_empty() {
        let ids: Vec<DealId> = places.deals.into_iter().collect();
        let (deals, clock) = deals::lock(tx, &ids).await?;
        book.now = book.now.max(clock);
        book.deals
            .extend(deals.into_iter().map(|deal| (deal.id, deal)));
    }
    let mut shelf_ids = places.shelves;
    shelf_ids.extend(shelves_of_ended_deals(commands, &book));
    shelf_ids.extend(shelves_of_living_deals(commands, &book));
    if !shelf_ids.is_empty() {
        let ids: Vec<ProductId> = shelf_ids.into_iter().collect();
        let (shelves, clock) = shelves::lock(tx, &ids).await?;
        book.now = book.now.max(clock);
        book.shelves
            .extend(shelves.into_iter().map(|shelf| (shelf.product_id, shelf)));
    }
    let planned = planned_products(commands);
    if !planned.is_empty() {
        book.windows = schedule::windows(tx, &planned).await?.into_iter().collect();
    }
    let buyers = limited_buyers(commands, &book);
    if !buyers.is_empty() {
        book.buyers = buyers::read(tx, &buyers).await?;
    }
    Ok(book)
}

/// Where units may move.
#[derive(Default)]
struct Places {
    deals: BTreeSet<DealId>,
    shelves: BTreeSet<ProductId>,
}

impl Places {
    fn of(commands: &[&Command], book: &Book) -> Self {
        let mut places = Self::default();
        for command in commands {
            match command {
                Command::Take(take) => {
                    for line in &take.lines {
                        match line.route {
                            Route::Deal(deal_id) => _ = places.deals.insert(deal_id),
                            Route::Shelf => _ = places.shelves.insert(line.product_id),
                        }
                    }
                }
                Command::GiveBack(units) => {
                    places.deals.extend(units.iter().map(|taken| taken.deal_id));
                }
                Command::OpenDeal(deal) => _ = places.shelves.insert(deal.product_id),
                Command::AdjustShelf { product_id, .. } => {
                    places.shelves.insert(*product_id);
                }
                Command::ScheduleDeal(plan) => _ = places.shelves.insert(plan.product_id),
                Command::EndDeal(deal_id)
                | Command::StartScheduled(deal_id)
                | Command::CancelDeal(deal_id)
                | Command::PauseDeal(deal_id)
                | Command::ResumeDeal(deal_id)
                | Command::RestockDeal { deal_id, .. } => _ = places.deals.insert(*deal_id),
                Command::Confirm(_)
                | Command::Restore { .. }
                | Command::Return { .. }
                | Command::Expire { .. } => {}
            }
        }
        for line in moving_lines(commands, book) {
            match line.deal_id {
                Some(deal_id) => _ = places.deals.insert(deal_id),
                None => _ = places.shelves.insert(line.product_id),
            }
        }
        places
    }
}

/// The lines whose units may leave their hold: of open ones, and of sales that are taken back.
fn moving_lines<'a>(
    commands: &'a [&Command],
    book: &'a Book,
) -> impl Iterator<Item = &'a HeldLine> {
    let open = book
        .holds
        .values()
        .filter(|hold| hold.state == HoldState::Open);
    let sold = commands.iter().filter_map(|command| match command {
        Command::Return { order_id, .. } => book.holds.get(order_id),
        _ => None,
    });
    let sold = sold.filter(|hold| matches!(hold.state, HoldState::Ended(HoldEnd::Sold { .. })));
    open.chain(sold).flat_map(|hold| &hold.lines)
}

/// Units released after a deal's end go to the shelf.
fn shelves_of_ended_deals(commands: &[&Command], book: &Book) -> Vec<ProductId> {
    let is_over = |deal_id| {
        book.deals
            .get(deal_id)
            .is_some_and(|deal| deal.status == DealStatus::Ended)
    };
    moving_lines(commands, book)
        .filter(|line| line.deal_id.as_ref().is_some_and(is_over))
        .map(|line| line.product_id)
        .collect()
}

/// A deal that opens takes its units from the shelf; one that ends gives them to it, and so do holds that
/// are released after it. A plan is dropped under the lock under which others are made.
fn shelves_of_living_deals(commands: &[&Command], book: &Book) -> Vec<ProductId> {
    let living = commands.iter().filter_map(|command| match command {
        Command::EndDeal(deal_id)
        | Command::StartScheduled(deal_id)
        | Command::CancelDeal(deal_id) => book.deals.get(deal_id),
        _ => None,
    });
    living.map(|deal| deal.product_id).collect()
}

fn planned_products(commands: &[&Command]) -> Vec<ProductId> {
    let planned = commands.iter().filter_map(|command| match command {
        Command::ScheduleDeal(plan) => Some(plan.product_id),
        _ => None,
    });
    planned.collect::<BTreeSet<_>>().into_iter().collect()
}

fn limited_buyers(commands: &[&Command], book: &Book) -> Vec<(DealId, UserId)> {
    let mut buyers = BTreeSet::new();
    for command in commands {
        if let Command::Take(take) = command {
            let deal_ids = take.lines.iter().filter_map(|line| match line.route {
                Route::Deal(deal_id) => Some(deal_id),
                Route::Shelf => None,
            });
            buyers.extend(deal_ids.map(|deal_id| (deal_id, take.user_id)));
        }
    }
    for hold in book.holds.values() {
        if let Some(user_id) = hold.user_id {
            let deal_ids = hold.lines.iter().filter_map(|line| line.deal_id);
            buyers.extend(deal_ids.map(|deal_id| (deal_id, user_id)));
        }
    }
    let is_limited = |deal_id: &DealId| {
        let deal = book.deals.get(deal_id);
        deal.is_some_and(|deal| deal.per_user_limit.is_some())
    };
    buyers.retain(|(deal_id, _)| is_limited(deal_id));
    buyers.into_iter().collect()
}
