//! Writes what a transaction has decided: one statement a table, but for deals that open or end.

use domain::{DealId, UserId};
use sql::Transaction;

use crate::{
    ledger::{
        book::{Book, DealWrite, HoldWrite},
        deal::{DealRow, DealStatus},
        hold::Hold,
    },
    store::{
        buyers::{self, BuyerUnits},
        commit::CommitError,
        deals, holds, schedule, shelves,
    },
};

/// Writes the book's changes: holds, deals, buyers, shelves.
///
/// # Errors
/// When the database refuses one, or another replica has taken an order id meanwhile.
pub(super) async fn write(tx: &mut Transaction<'_>, book: &Book) -> Result<(), CommitError> {
    write_holds(tx, book).await?;
    let changes = &book.changes;
    let rows = changed_buyers(book);
    if !changes.deals.is_empty() {
        deals::apply(tx, &changes.deals).await?;
    }
    // Ended before the next one opens: a product has one open deal.
    for deal in deals_to(book, DealWrite::End) {
        deals::end(tx, deal, book.now).await?;
    }
    for deal in deals_to(book, DealWrite::Schedule) {
        schedule::schedule(tx, deal).await?;
    }
    for deal in deals_to(book, DealWrite::Set) {
        schedule::set(tx, deal).await?;
    }
    // Of those that opened, the one that has not ended again has the last number.
    for is_over in [true, false] {
        let is_next = |deal: &&DealRow| (deal.status == DealStatus::Ended) == is_over;
        for deal in deals_to(book, DealWrite::Open).filter(is_next) {
            deals::open(tx, deal, book.now).await?;
        }
        for deal in deals_to(book, DealWrite::Start).filter(is_next) {
            schedule::start(tx, deal).await?;
        }
    }
    if !rows.is_empty() {
        buyers::write(tx, &rows).await?;
    }
    if !changes.shelves.is_empty() {
        shelves::apply(tx, &changes.shelves).await?;
    }
    Ok(())
}

fn deals_to(book: &Book, wanted: DealWrite) -> impl Iterator<Item = &DealRow> {
    let written = book
        .changes
        .deal_life
        .iter()
        .filter(move |(_, write)| **write == wanted);
    written.filter_map(|(id, _)| book.deals.get(id))
}

async fn write_holds(tx: &mut Transaction<'_>, book: &Book) -> Result<(), CommitError> {
    let written = |wanted: HoldWrite| -> Vec<&Hold> {
        let ids = book
            .changes
            .holds
            .iter()
            .filter(|(_, write)| **write == wanted);
        ids.filter_map(|(id, _)| book.holds.get(id)).collect()
    };
    let inserts = written(HoldWrite::Insert);
    if !inserts.is_empty() {
        let inserted = holds::insert(tx, &inserts).await?;
        if inserted != inserts.len() as u64 {
            return Err(CommitError::Raced);
        }
    }
    let ends = written(HoldWrite::End);
    if !ends.is_empty() {
        let ended = holds::end(tx, &ends).await?;
        debug_assert_eq!(
            ended,
            ends.len() as u64,
            "a locked open hold has ended elsewhere"
        );
    }
    Ok(())
}

/// The buyers of limited deals whose units changed, with their new figures.
pub(super) fn changed_buyers(book: &Book) -> Vec<BuyerUnits> {
    let row = |(deal_id, user_id): &(DealId, UserId)| {
        Some(BuyerUnits {
            deal_id: *deal_id,
            user_id: *user_id,
            units: *book.buyers.get(&(*deal_id, *user_id))?,
            per_user_limit: book.deals.get(deal_id)?.per_user_limit?,
        })
    };
    book.changes.buyers.iter().filter_map(row).collect()
}
