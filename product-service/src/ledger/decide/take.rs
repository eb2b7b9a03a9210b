//! Holding stock for an order.

use domain::{DealId, Money, Timestamp};

use crate::ledger::{
    book::{Book, HoldWrite},
    command::{Outcome, Refusal, Route, Take, TakeLine, Taken, TakenLine},
    deal::DealStatus,
    decide::owe,
    hold::{HeldLine, Hold, HoldEnd, HoldState},
    sums::Sums,
};

/// Why a line cannot be taken.
enum No {
    Reroute,
    Refused(Refusal),
}

/// What a line would take, before anything is written.
struct Offer {
    name: String,
    unit_price: Money,
    available: i64,
}

/// All lines or none. What is already there answers.
pub(super) fn take(book: &mut Book, take: &Take) -> Outcome {
    if let Some(hold) = book.holds.get(&take.order_id) {
        let outcome = answer_from(hold, take, book.now);
        owe_everything(book, take);
        return outcome;
    }
    match offers(book, take) {
        Ok(offers) => Outcome::Taken(write(book, take, offers)),
        Err(no) => {
            owe_what_is_left(book, take);
            match no {
                No::Reroute => Outcome::Rerouted,
                No::Refused(refusal) => Outcome::Refused(refusal),
            }
        }
    }
}

/// An open or sold hold with the same lines is a replay, at its own price and deadline.
pub(crate) fn answer_from(hold: &Hold, take: &Take, now: Timestamp) -> Outcome {
    match &hold.state {
        HoldState::Ended(HoldEnd::Released { .. } | HoldEnd::Returned { .. }) => {
            Outcome::Refused(Refusal::HoldEnded)
        }
        _ if !is_same_request(hold, take) => Outcome::Refused(Refusal::OrderIdReused),
        HoldState::Open if hold.expires_at <= now => Outcome::Refused(Refusal::HoldEnded),
        HoldState::Open | HoldState::Ended(HoldEnd::Sold { .. }) => Outcome::Taken(replay(hold)),
    }
}

/// Whether a hold is what the request asks for.
fn is_same_request(hold: &Hold, take: &Take) -> bool {
    let asked = take
        .lines
        .iter()
        .map(|line| (line.product_id, line.quantity));
    let held = hold
        .lines
        .iter()
        .map(|line| (line.product_id, line.quantity));
    hold.user_id == Some(take.user_id) && asked.eq(held)
}

/// A hold as it answers a repeated request.
fn replay(hold: &Hold) -> Taken {
    let line = |held: &HeldLine| TakenLine {
        held: held.clone(),
        remaining: None,
    };
    Taken {
        lines: hold.lines.iter().map(line).collect(),
        expires_at: hold.expires_at,
        is_replay: true,
    }
}

/// Every line's offer, or the first no; a changed route goes before any refusal, since what stale
/// routes say about stock means nothing.
fn offers(book: &Book, take: &Take) -> Result<Vec<Offer>, No> {
    let mut first_refusal = None;
    let mut total = Money::ZERO;
    let mut offers = Vec::with_capacity(take.lines.len());
    for line in &take.lines {
        match offer(book, take, line).and_then(|offer| priced(offer, line, &mut total)) {
            Ok(offer) => offers.push(offer),
            Err(No::Reroute) => return Err(No::Reroute),
            Err(no) => first_refusal = first_refusal.or(Some(no)),
        }
    }
    first_refusal.map_or(Ok(offers), Err)
}

/// The offer, if the order's total can be counted with it.
fn priced(offer: Offer, line: &TakeLine, total: &mut Money) -> Result<Offer, No> {
    let subtotal = offer.unit_price.checked_mul(line.quantity);
    match subtotal.and_then(|subtotal| total.checked_add(subtotal)) {
        Ok(sum) => {
            *total = sum;
            Ok(offer)
        }
        Err(_) => Err(No::Refused(Refusal::AmountTooLarge(line.product_id))),
    }
}

fn offer(book: &Book, take: &Take, line: &TakeLine) -> Result<Offer, No> {
    match line.route {
        Route::Deal(deal_id) => deal_offer(book, take, line, deal_id),
        Route::Shelf => shelf_offer(book, line),
    }
}

fn deal_offer(book: &Book, take: &Take, line: &TakeLine, deal_id: DealId) -> Result<Offer, No> {
    let deal = book.deals.get(&deal_id).ok_or(No::Reroute)?;
    let is_the_products_own = deal.product_id == line.product_id;
    if !is_the_products_own || matches!(deal.status, DealStatus::Ended | DealStatus::Scheduled) {
        return Err(No::Reroute);
    }
    let is_wanted = line.deal_wanted.is_none_or(|wanted| wanted == deal_id);
    if !is_wanted || !deal.sells_at(book.now) {
        return Err(No::Refused(Refusal::DealNotOpen(line.product_id)));
    }
    let units = line.quantity.units();
    if let Some(limit) = deal.per_user_limit {
        let has = book.buyers.get(&(deal_id, take.user_id)).copied();
        if has.unwrap_or(0).saturating_add(units) > limit {
            return Err(No::Refused(Refusal::PerUserLimit(line.product_id)));
        }
    }
    if deal.sums.available < units {
        return Err(No::Refused(Refusal::OutOfStock(line.product_id)));
    }
    Ok(Offer {
        name: deal.product_name.clone(),
        unit_price: deal.unit_price,
        available: deal.sums.available,
    })
}

fn shelf_offer(book: &Book, line: &TakeLine) -> Result<Offer, No> {
    let Some(shelf) = book.shelves.get(&line.product_id) else {
        return Err(No::Refused(Refusal::ProductNotFound(line.product_id)));
    };
    if shelf.deal_id.is_some() {
        return Err(No::Reroute);
    }
    if line.deal_wanted.is_some() {
        return Err(No::Refused(Refusal::DealNotOpen(line.product_id)));
    }
    if shelf.sums.available < line.quantity.units() {
        return Err(No::Refused(Refusal::OutOfStock(line.product_id)));
    }
    Ok(Offer {
        name: shelf.product_name.clone(),
        unit_price: shelf.unit_price,
        available: shelf.sums.available,
    })
}

fn write(book: &mut Book, take: &Take, offers: Vec<Offer>) -> Taken {
    let mut lines = Vec::with_capacity(take.lines.len());
    for (line, offer) in take.lines.iter().zip(offers) {
        let units = line.quantity.units();
        let deal_id = hold_units(book, take, line);
        lines.push(TakenLine {
            held: HeldLine {
                product_id: line.product_id,
                deal_id,
                name: offer.name,
                quantity: line.quantity,
                unit_price: offer.unit_price,
            },
            remaining: Some(offer.available - units),
        });
    }
    let expires_at = book.now.plus(take.hold_ttl);
    let held = lines.iter().map(|line| line.held.clone()).collect();
    let hold = Hold {
        order_id: take.order_id,
        user_id: Some(take.user_id),
        lines: held,
        created_at: book.now,
        expires_at,
        state: HoldState::Open,
    };
    book.write_hold(hold, HoldWrite::Insert);
    Taken {
        lines,
        expires_at,
        is_replay: false,
    }
}

/// Moves the line's units from available to held, where they are offered.
fn hold_units(book: &mut Book, take: &Take, line: &TakeLine) -> Option<DealId> {
    let units = line.quantity.units();
    let by = Sums {
        available: -units,
        held: units,
        ..Sums::default()
    };
    match line.route {
        Route::Shelf => {
            book.move_shelf(line.product_id, by);
            None
        }
        Route::Deal(deal_id) => {
            let is_limited = book
                .deals
                .get(&deal_id)
                .is_some_and(|deal| deal.per_user_limit.is_some());
            if is_limited {
                book.count_buyer(deal_id, take.user_id, units);
            }
            // What the gate took beyond what is taken here: nothing, since it takes all or none.
            book.move_deal(deal_id, by, (line.gate_units - units).max(0));
            Some(deal_id)
        }
    }
}

/// A replay takes nothing: all that the gate took for it is owed back.
fn owe_everything(book: &mut Book, take: &Take) {
    for line in &take.lines {
        if let Route::Deal(deal_id) = line.route {
            owe(book, deal_id, line.gate_units);
        }
    }
}

/// A line that lacks stock counts only what the ledger still has; the rest was the gate's error, and
/// not giving it back is what brings a gate that is too high down.
fn owe_what_is_left(book: &mut Book, take: &Take) {
    for line in &take.lines {
        let Route::Deal(deal_id) = line.route else {
            continue;
        };
        let Some(available) = book.deals.get(&deal_id).map(|deal| deal.sums.available) else {
            continue;
        };
        let lacks_stock = available < line.quantity.units();
        let units = if lacks_stock {
            line.gate_units.min(available)
        } else {
            line.gate_units
        };
        owe(book, deal_id, units);
    }
}
