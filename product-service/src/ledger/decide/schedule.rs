//! Deals that are planned: they open at their time, once, with what the shelf has then.

use domain::DealId;

use crate::ledger::{
    book::Book,
    command::{Outcome, Refusal, ScheduleDeal},
    deal::{DealRow, DealStatus, Window},
    decide::{deal::open_with, stands},
    sums::Sums,
};

/// Plans a deal, under the lock of its shelf: two plans that overlap cannot both be made.
pub(super) fn schedule(book: &mut Book, plan: &ScheduleDeal) -> Outcome {
    let Some(shelf) = book.shelves.get(&plan.product_id) else {
        return Outcome::Refused(Refusal::ProductNotFound(plan.product_id));
    };
    if plan.ends_at <= book.now {
        return Outcome::EndsInThePast;
    }
    let window = Window {
        starts_at: plan.starts_at,
        ends_at: Some(plan.ends_at),
    };
    if let Some(other) = overlapping(book, plan, &window) {
        return Outcome::Overlaps(other);
    }
    let planned = DealRow {
        id: plan.deal_id,
        product_id: plan.product_id,
        product_name: shelf.product_name.clone(),
        number: 0,
        planned: plan.units,
        status: DealStatus::Scheduled,
        unit_price: plan.unit_price,
        per_user_limit: plan.per_user_limit,
        starts_at: plan.starts_at,
        ends_at: Some(plan.ends_at),
        ended_at: None,
        sums: Sums::default(),
        owed: 0,
    };
    book.schedule_deal(planned);
    stands(DealStatus::Scheduled, true)
}

fn overlapping(book: &Book, plan: &ScheduleDeal, window: &Window) -> Option<DealId> {
    let windows = book.windows.iter();
    let mut others = windows.filter(|((product_id, _), _)| *product_id == plan.product_id);
    let overlapping = others.find(|(_, other)| window.overlaps(other));
    overlapping.map(|((_, deal_id), _)| *deal_id)
}

/// Opens a scheduled deal whose time has come, unless another deal of the product is still open: then it
/// waits, and is over when its window is.
pub(super) fn start(book: &mut Book, deal_id: DealId) -> Outcome {
    let Some(deal) = book.deals.get(&deal_id) else {
        return Outcome::Unknown;
    };
    let Some(shelf) = book.shelves.get(&deal.product_id) else {
        return Outcome::Failed;
    };
    if deal.status != DealStatus::Scheduled {
        return stands(deal.status, false);
    }
    if deal.is_past(book.now) {
        book.end_deal(deal_id);
        return stands(DealStatus::Ended, true);
    }
    if book.now < deal.starts_at || shelf.deal_id.is_some() {
        return stands(DealStatus::Scheduled, false);
    }
    let units = deal.planned.min(shelf.sums.available);
    let deal = deal.clone();
    open_with(book, deal, units);
    stands(DealStatus::Running, true)
}

/// Drops a plan. A deal that ended without having opened was dropped before, or its time passed.
pub(super) fn cancel(book: &mut Book, deal_id: DealId) -> Outcome {
    let Some(deal) = book.deals.get(&deal_id) else {
        return Outcome::Unknown;
    };
    match deal.status {
        DealStatus::Scheduled => {
            book.end_deal(deal_id);
            stands(DealStatus::Ended, true)
        }
        DealStatus::Ended if !book.has_opened(deal) => stands(DealStatus::Ended, false),
        _ => Outcome::Refused(Refusal::DealNotScheduled(deal.product_id)),
    }
}
