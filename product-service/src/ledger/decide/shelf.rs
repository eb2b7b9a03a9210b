//! Units added to a shelf or written off by hand.

use domain::ProductId;

use crate::ledger::{
    book::{Book, Sums},
    command::{Outcome, Refusal},
};

/// Adds units, or writes off as many as are available.
pub(super) fn adjust(book: &mut Book, product_id: ProductId, delta: i64) -> Outcome {
    let Some(shelf) = book.shelves.get(&product_id) else {
        return Outcome::Refused(Refusal::ProductNotFound(product_id));
    };
    let available = shelf.sums.available.saturating_add(delta);
    if available < 0 {
        return Outcome::Refused(Refusal::OutOfStock(product_id));
    }
    let by = Sums {
        available: delta,
        restocked: delta.max(0),
        written_off: (-delta).max(0),
        ..Sums::default()
    };
    book.move_shelf(product_id, by);
    Outcome::Adjusted { available }
}
