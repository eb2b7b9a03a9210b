//! Opening and ending a deal: units move between the shelf and the deal.

use domain::DealId;

use crate::ledger::{
    book::Book,
    command::{OpenDeal, Outcome, Refusal},
    deal::{DealRow, DealStatus},
    decide::{hand_back, stands},
    sums::Sums,
};

/// Moves units from the shelf into a new deal. A deal that is open already stays as it is.
pub(super) fn open(book: &mut Book, deal: &OpenDeal) -> Outcome {
    let Some(shelf) = book.shelves.get(&deal.product_id) else {
        return Outcome::Refused(Refusal::ProductNotFound(deal.product_id));
    };
    if let Some(open) = shelf.deal_id {
        return Outcome::DealOpen(open);
    }
    if deal.ends_at.is_some_and(|ends_at| ends_at <= book.now) {
        return Outcome::EndsInThePast;
    }
    let units = deal.units.unwrap_or(shelf.sums.available);
    if units < 1 || shelf.sums.available < units {
        return Outcome::Refused(Refusal::OutOfStock(deal.product_id));
    }
    let opened = DealRow {
        id: deal.deal_id,
        product_id: deal.product_id,
        product_name: shelf.product_name.clone(),
        number: 0,
        planned: units,
        status: DealStatus::Running,
        unit_price: deal.unit_price.unwrap_or(shelf.unit_price),
        per_user_limit: deal.per_user_limit,
        starts_at: book.now,
        ends_at: deal.ends_at,
        ended_at: None,
        sums: Sums::default(),
        owed: 0,
    };
    open_with(book, opened, units);
    Outcome::DealOpen(deal.deal_id)
}

/// Opens a deal with units that its shelf has.
pub(super) fn open_with(book: &mut Book, deal: DealRow, units: i64) {
    let out_of_the_shelf = Sums {
        available: -units,
        returned: units,
        ..Sums::default()
    };
    book.move_shelf(deal.product_id, out_of_the_shelf);
    book.open_deal(DealRow {
        status: DealStatus::Running,
        sums: Sums {
            initial: units,
            available: units,
            ..Sums::default()
        },
        ..deal
    });
}

/// Hands what is available back to the shelf. Open holds outlive the deal.
pub(super) fn end(book: &mut Book, deal_id: DealId) -> Outcome {
    let Some(deal) = book.deals.get(&deal_id) else {
        return Outcome::Unknown;
    };
    if deal.status == DealStatus::Ended {
        return stands(DealStatus::Ended, false);
    }
    let (product_id, units) = (deal.product_id, deal.sums.available);
    if !book.shelves.contains_key(&product_id) {
        return Outcome::Failed;
    }
    let leaving = Sums {
        available: -units,
        ..Sums::default()
    };
    hand_back(book, deal_id, product_id, units, leaving);
    book.end_deal(deal_id);
    stands(DealStatus::Ended, true)
}
