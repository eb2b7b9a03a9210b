//! Units added to a shelf or written off by hand.

use domain::ProductId;

use crate::ledger::{
    book::Book,
    command::{Outcome, Refusal},
    sums::Sums,
};

/// Adds units, or writes off as many as are available.
pub(super) fn adjust(book: &mut Book, product_id: ProductId, delta: i64) -> Outcome {
    let Some(shelf) = book.shelves.get(&product_id) else {
        return Outcome::Refused(Refusal::ProductNotFound(product_id));
    };
    if shelf.sums.available.saturating_add(delta) < 0 {
        return Outcome::Refused(Refusal::OutOfStock(product_id));
    }
    let (restocked, written_off) = (delta.max(0), delta.saturating_neg().max(0));
    let sums = &shelf.sums;
    let is_countable = sums.restocked.checked_add(restocked).is_some()
        && sums.written_off.checked_add(written_off).is_some();
    let (Some(available), true) = (sums.available.checked_add(delta), is_countable) else {
        // More than a row can count: the database would refuse it too.
        return Outcome::Failed;
    };
    let by = Sums {
        available: delta,
        restocked,
        written_off,
        ..Sums::default()
    };
    book.move_shelf(product_id, by);
    Outcome::Adjusted { available }
}
