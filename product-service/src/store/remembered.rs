//! Deals as the last transaction left them that locked them here: what a sale assumes about theirs.
//!
//! Nothing is believed: the statement checks each figure under the row's lock, so that a memory which is wrong
//! costs a round trip and nothing else.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{DealId, Timestamp};

use crate::ledger::{
    book::Book,
    deal::{DealRow, DealStatus},
};

/// Beyond this many, all are forgotten: some five megabytes.
const DEALS_MAX: usize = 16_384;

/// The memory of one store; its clones share it.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    deals: HashMap<DealId, DealRow>,
    /// The latest clock that was read under a lock.
    now: Option<Timestamp>,
}

impl Remembered {
    /// A book with just these deals, as if they were locked; `None` if one of them is not remembered.
    pub(super) fn book(&self, deal_ids: impl IntoIterator<Item = DealId>) -> Option<Book> {
        let memory = self.memory();
        let mut book = Book::new(memory.now?);
        for deal_id in deal_ids {
            let deal = memory.deals.get(&deal_id)?;
            book.deals.insert(deal_id, deal.clone());
        }
        Some(book)
    }

    /// The deals of a book whose changes are committed.
    pub(super) fn note(&self, book: Book) {
        let mut memory = self.memory();
        memory.now = memory.now.max(Some(book.now));
        if memory.deals.len() + book.deals.len() > DEALS_MAX {
            memory.deals.clear();
        }
        for (id, deal) in book.deals {
            // One that has just opened got its number from the database, which the book does not know.
            if deal.status == DealStatus::Running && deal.number > 0 {
                memory.deals.insert(id, deal);
            } else {
                memory.deals.remove(&id);
            }
        }
    }

    /// Something is not as it was remembered.
    pub(super) fn forget<'a>(&self, deal_ids: impl IntoIterator<Item = &'a DealId>) {
        let mut memory = self.memory();
        for deal_id in deal_ids {
            memory.deals.remove(deal_id);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
