//! Decides each command over the locked book. Pure: the same book and command give the same outcome.
//!
//! - `take`: hold stock, all lines or none.
//! - `end`: confirm, restore, expire; take a sale back.
//! - `deal`: open and end a deal. `schedule`: plan one, open it at its time, or drop the plan. `selling`:
//!   pause, resume and restock one that is open. `shelf`: add and write off.
//!
//! Every stock fact is born here, so this is where its event will be written too.

mod deal;
pub(crate) mod end;
mod schedule;
mod selling;
mod shelf;
pub(crate) mod take;
#[cfg(test)]
mod tests;

use crate::ledger::{
    book::Book,
    command::{Command, Outcome},
    deal::DealStatus,
    sums::Sums,
};
use domain::{DealId, ProductId};

/// Applies one command to the book. A refusal changes nothing but what the gate is owed.
pub fn decide(book: &mut Book, command: &Command) -> Outcome {
    match command {
        Command::Take(take) => take::take(book, take),
        Command::Confirm(order_id) => end::confirm(book, *order_id),
        Command::Restore { order_id, reason } => end::restore(book, *order_id, reason),
        Command::Return { order_id, reason } => end::take_back(book, *order_id, reason),
        Command::Expire { order_id, grace } => end::expire(book, *order_id, *grace),
        Command::OpenDeal(deal) => deal::open(book, deal),
        Command::EndDeal(deal_id) => deal::end(book, *deal_id),
        Command::ScheduleDeal(plan) => schedule::schedule(book, plan),
        Command::StartScheduled(deal_id) => schedule::start(book, *deal_id),
        Command::CancelDeal(deal_id) => schedule::cancel(book, *deal_id),
        Command::PauseDeal(deal_id) => selling::pause(book, *deal_id),
        Command::ResumeDeal(deal_id) => selling::resume(book, *deal_id),
        Command::RestockDeal { deal_id, delta } => selling::restock(book, *deal_id, *delta),
        Command::AdjustShelf { product_id, delta } => shelf::adjust(book, *product_id, *delta),
        Command::GiveBack(units) => {
            for taken in units {
                owe(book, taken.deal_id, taken.units);
            }
            Outcome::Done
        }
    }
}

/// Owes the gate of a deal that still has one.
fn owe(book: &mut Book, deal_id: DealId, units: i64) {
    let has_gate = book
        .deals
        .get(&deal_id)
        .is_some_and(|deal| deal.status.is_open());
    if has_gate && units > 0 {
        book.move_deal(deal_id, Sums::default(), units);
    }
}

fn stands(status: DealStatus, has_changed: bool) -> Outcome {
    Outcome::DealStands {
        status,
        has_changed,
    }
}

/// Hands units of a deal back to its product's shelf; `leaving` says which figure of the deal they leave.
fn hand_back(book: &mut Book, deal_id: DealId, product_id: ProductId, units: i64, leaving: Sums) {
    let out_of_the_deal = Sums {
        returned: units,
        ..leaving
    };
    let onto_the_shelf = Sums {
        restocked: units,
        available: units,
        ..Sums::default()
    };
    book.move_deal(deal_id, out_of_the_deal, 0);
    book.move_shelf(product_id, onto_the_shelf);
}
