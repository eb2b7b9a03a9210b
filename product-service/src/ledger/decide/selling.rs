//! A deal that has opened and not ended: it pauses, goes on, and gets or loses units.

use domain::DealId;

use crate::ledger::{
    book::Book,
    command::{Outcome, Refusal},
    deal::DealStatus,
    decide::stands,
    sums::Sums,
};

/// Lets a deal keep its units and sell none; a paused one stays so.
pub(super) fn pause(book: &mut Book, deal_id: DealId) -> Outcome {
    set(book, deal_id, DealStatus::Paused)
}

/// Lets a paused deal sell again; a running one stays so.
pub(super) fn resume(book: &mut Book, deal_id: DealId) -> Outcome {
    set(book, deal_id, DealStatus::Running)
}

fn set(book: &mut Book, deal_id: DealId, status: DealStatus) -> Outcome {
    let Some(deal) = book.deals.get(&deal_id) else {
        return Outcome::Unknown;
    };
    if !deal.status.is_open() {
        return Outcome::Refused(Refusal::DealNotOpen(deal.product_id));
    }
    let has_changed = deal.status != status;
    if has_changed {
        book.set_deal(deal_id, status);
    }
    stands(status, has_changed)
}

/// Adds units, which the gate is then owed, or writes off as many as are available. A gate that is too
/// high after a write-off comes down with each refusal.
pub(super) fn restock(book: &mut Book, deal_id: DealId, delta: i64) -> Outcome {
    let Some(deal) = book.deals.get(&deal_id) else {
        return Outcome::Unknown;
    };
    if !deal.status.is_open() {
        return Outcome::Refused(Refusal::DealNotOpen(deal.product_id));
    }
    let sums = &deal.sums;
    if sums.available.saturating_add(delta) < 0 {
        return Outcome::Refused(Refusal::OutOfStock(deal.product_id));
    }
    let (restocked, written_off) = (delta.max(0), delta.saturating_neg().max(0));
    let is_countable = sums.available.checked_add(delta).is_some()
        && sums.restocked.checked_add(restocked).is_some()
        && sums.written_off.checked_add(written_off).is_some()
        && deal.owed.checked_add(restocked).is_some();
    if !is_countable {
        // More than a row can count: the database would refuse it too.
        return Outcome::Failed;
    }
    let status = deal.status;
    let by = Sums {
        available: delta,
        restocked,
        written_off,
        ..Sums::default()
    };
    book.move_deal(deal_id, by, restocked);
    stands(status, true)
}
