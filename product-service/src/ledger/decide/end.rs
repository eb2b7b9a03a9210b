//! Ending a hold: sold by confirm, or released by restore or expiry. Once; only a sale may be taken back.

use std::time::Duration;

use domain::OrderId;

use crate::ledger::{
    book::{Book, HoldWrite},
    command::{Outcome, Refusal},
    deal::DealStatus,
    decide::hand_back,
    hold::{HeldLine, Hold, HoldEnd, HoldState},
    sums::Sums,
};

/// Why the ledger itself releases a hold.
pub(super) const EXPIRED: &str = "EXPIRED";

/// Sells an open hold before its deadline; a sold one stays sold.
pub(super) fn confirm(book: &mut Book, order_id: OrderId) -> Outcome {
    let Some(hold) = book.holds.get(&order_id).cloned() else {
        return Outcome::Unknown;
    };
    match &hold.state {
        HoldState::Ended(sold @ HoldEnd::Sold { .. }) => Outcome::Ended(sold.clone()),
        HoldState::Ended(_) => Outcome::Refused(Refusal::HoldEnded),
        HoldState::Open if hold.expires_at <= book.now => Outcome::Refused(Refusal::HoldEnded),
        HoldState::Open => sell(book, hold),
    }
}

/// Releases an open hold, buries an unknown order id, and tells how any other hold ended.
pub(super) fn restore(book: &mut Book, order_id: OrderId, reason: &str) -> Outcome {
    let Some(hold) = book.holds.get(&order_id).cloned() else {
        let at = book.now;
        let tombstone = Hold::tombstone(order_id, reason.to_owned(), at);
        book.write_hold(tombstone, HoldWrite::Insert);
        return Outcome::Ended(HoldEnd::Released {
            at,
            reason: reason.to_owned(),
        });
    };
    match hold.state {
        HoldState::Open => release(book, hold, reason),
        HoldState::Ended(end) => Outcome::Ended(end),
    }
}

/// Takes a sale back, and releases a hold that is still open: afterwards the units are free for certain.
/// Nothing is buried: who asks knows of a sale, and a hold that is gone had one too long ago.
pub(super) fn take_back(book: &mut Book, order_id: OrderId, reason: &str) -> Outcome {
    let Some(hold) = book.holds.get(&order_id).cloned() else {
        return Outcome::Unknown;
    };
    match hold.state {
        HoldState::Open => release(book, hold, reason),
        HoldState::Ended(HoldEnd::Sold { .. }) => give_back(book, hold, reason),
        HoldState::Ended(end) => Outcome::Ended(end),
    }
}

/// Releases an open hold that nobody has ended `grace` after its deadline.
pub(super) fn expire(book: &mut Book, order_id: OrderId, grace: Duration) -> Outcome {
    match book.holds.get(&order_id) {
        Some(hold) if hold.state == HoldState::Open && hold.expires_at.plus(grace) <= book.now => {
            let hold = hold.clone();
            release(book, hold, EXPIRED)
        }
        _ => Outcome::Done,
    }
}

fn sell(book: &mut Book, hold: Hold) -> Outcome {
    if !book.has_rows_of(&hold) {
        return Outcome::Failed;
    }
    for line in &hold.lines {
        let units = line.quantity.units();
        let by = Sums {
            held: -units,
            sold: units,
            ..Sums::default()
        };
        match line.deal_id {
            Some(deal_id) => book.move_deal(deal_id, by, 0),
            None => book.move_shelf(line.product_id, by),
        }
    }
    let end = HoldEnd::Sold { at: book.now };
    write_end(book, hold, end)
}

fn release(book: &mut Book, hold: Hold, reason: &str) -> Outcome {
    let (at, reason) = (book.now, reason.to_owned());
    let released = HoldEnd::Released { at, reason };
    free(
        book,
        hold,
        |units| Sums {
            held: -units,
            ..Sums::default()
        },
        released,
    )
}

fn give_back(book: &mut Book, hold: Hold, reason: &str) -> Outcome {
    let (at, reason) = (book.now, reason.to_owned());
    let returned = HoldEnd::Returned { at, reason };
    free(
        book,
        hold,
        |units| Sums {
            sold: -units,
            ..Sums::default()
        },
        returned,
    )
}

/// Frees every line's units; `leaving` says which figure they leave.
fn free(book: &mut Book, hold: Hold, leaving: fn(i64) -> Sums, end: HoldEnd) -> Outcome {
    if !book.has_rows_of(&hold) {
        return Outcome::Failed;
    }
    for line in &hold.lines {
        free_line(book, &hold, line, leaving(line.quantity.units()));
    }
    write_end(book, hold, end)
}

fn write_end(book: &mut Book, hold: Hold, end: HoldEnd) -> Outcome {
    let ended = Hold {
        state: HoldState::Ended(end.clone()),
        ..hold
    };
    book.write_hold(ended, HoldWrite::End);
    Outcome::Ended(end)
}

/// Units go back to where they can be taken: to the deal while it lasts, else to the shelf.
fn free_line(book: &mut Book, hold: &Hold, line: &HeldLine, leaving: Sums) {
    let units = line.quantity.units();
    let back = Sums {
        available: units,
        ..leaving
    };
    let Some(deal_id) = line.deal_id else {
        book.move_shelf(line.product_id, back);
        return;
    };
    let Some(deal) = book.deals.get(&deal_id) else {
        return;
    };
    let (is_over, is_limited) = (
        deal.status == DealStatus::Ended,
        deal.per_user_limit.is_some(),
    );
    if let (true, Some(user_id)) = (is_limited, hold.user_id) {
        // Long after a deal's end its buyers are forgotten; that must not keep units from coming back.
        let is_counted = book.buyers.contains_key(&(deal_id, user_id));
        if is_counted || !is_over {
            book.count_buyer(deal_id, user_id, -units);
        }
    }
    if is_over {
        hand_back(book, deal_id, line.product_id, units, leaving);
    } else {
        book.move_deal(deal_id, back, units);
    }
}
