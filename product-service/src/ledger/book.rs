//! The rows that a transaction has locked, and the changes it will write.
//!
//! Figures change only through [`Book::move_deal`] and [`Book::move_shelf`], which keep the row and
//! the difference to write in step. Differences, not absolute values, go to the database: should two
//! transactions ever meet without a lock, its constraints still see every unit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{DealId, Money, OrderId, ProductId, Timestamp, UserId};

use crate::ledger::{
    command::{Left, Place},
    deal::{DealRow, DealStatus, Window},
    hold::Hold,
    sums::Sums,
};

/// A locked shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShelfRow {
    /// Whose stock.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: String,
    /// The product's price outside deals.
    pub unit_price: Money,
    /// The deal that sells in its place, if one runs or is paused.
    pub deal_id: Option<DealId>,
    /// Where its units are.
    pub sums: Sums,
}

/// What a hold's row becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldWrite {
    /// It is new.
    Insert,
    /// It has ended, or its sale was taken back.
    End,
}

/// Differences to one deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DealChange {
    /// Where units moved.
    pub sums: Sums,
    /// By how much the debt to the gate grew.
    pub owed: i64,
}

/// What becomes of a deal's row beside its figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DealWrite {
    /// It is new, and is to open at its time.
    Schedule,
    /// It is new and opens; its figures are in the book, its number is given when it is inserted.
    Open,
    /// It was scheduled and opens; likewise.
    Start,
    /// It pauses, or goes on.
    Set,
    /// It is over.
    End,
}

/// What to write, in the order in which rows are locked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Holds by order id.
    pub holds: BTreeMap<OrderId, HoldWrite>,
    /// Buyers whose units changed; the new figure is in the book.
    pub buyers: BTreeSet<(DealId, UserId)>,
    /// Figures of deals that were there before.
    pub deals: BTreeMap<DealId, DealChange>,
    /// Deals that are planned, open, pause, go on or end.
    pub deal_life: BTreeMap<DealId, DealWrite>,
    /// Shelves.
    pub shelves: BTreeMap<ProductId, Sums>,
}

/// The locked rows, and the changes made to them so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// The database's clock, read after the last lock was granted.
    pub now: Timestamp,
    /// By order id.
    pub holds: HashMap<OrderId, Hold>,
    /// By id.
    pub deals: HashMap<DealId, DealRow>,
    /// By product.
    pub shelves: HashMap<ProductId, ShelfRow>,
    /// Units of limited deals by buyer; absent means none.
    pub buyers: HashMap<(DealId, UserId), i64>,
    /// When the deals that have not ended are to sell, of the products of which one is to be planned. They
    /// are not locked, but change only under the lock of the product's shelf.
    pub windows: BTreeMap<(ProductId, DealId), Window>,
    /// What to write.
    pub changes: Changes,
}

impl Book {
    /// Nothing locked yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            holds: HashMap::new(),
            deals: HashMap::new(),
            shelves: HashMap::new(),
            buyers: HashMap::new(),
            windows: BTreeMap::new(),
            changes: Changes::default(),
        }
    }

    /// Whether every row that ending this hold would move units of is locked. A hold must not end
    /// without its units moving.
    pub fn has_rows_of(&self, hold: &Hold) -> bool {
        hold.lines.iter().all(|line| match line.deal_id {
            None => self.shelves.contains_key(&line.product_id),
            Some(deal_id) => self.deals.get(&deal_id).is_some_and(|deal| {
                deal.status != DealStatus::Ended || self.shelves.contains_key(&line.product_id)
            }),
        })
    }

    /// Adds a new hold, or replaces one that has ended.
    pub fn write_hold(&mut self, hold: Hold, write: HoldWrite) {
        // A hold taken and ended in one transaction is inserted as it ended.
        self.changes.holds.entry(hold.order_id).or_insert(write);
        self.holds.insert(hold.order_id, hold);
    }

    /// Moves units of a locked deal and owes the gate `owed` more.
    pub fn move_deal(&mut self, id: DealId, by: Sums, owed: i64) {
        debug_assert!(owed >= 0, "what the gate is owed only grows");
        let Some(deal) = self.deals.get_mut(&id) else {
            debug_assert!(false, "deal {id} is not locked");
            return;
        };
        deal.sums.add(&by);
        deal.owed = deal.owed.saturating_add(owed);
        let life = self.changes.deal_life.get(&id);
        if matches!(life, Some(DealWrite::Open | DealWrite::Start)) {
            // A row that opens is written with the figures it has come to.
            return;
        }
        let change = self.changes.deals.entry(id).or_default();
        change.sums.add(&by);
        change.owed = change.owed.saturating_add(owed);
    }

    /// What is left where nothing is, or where more is than before.
    pub fn left(&self) -> Vec<Left> {
        let at_deal = |deal: &DealRow| {
            let change = self.changes.deals.get(&deal.id);
            Left {
                place: Place {
                    product_id: deal.product_id,
                    deal_number: Some(deal.number),
                },
                // Of a deal that does not run nobody may hear that it is sold out.
                is_empty: deal.status == DealStatus::Running && deal.sums.available <= 0,
                has_grown: change.is_some_and(|by| by.owed > 0 || by.sums.available > 0),
            }
        };
        let at_shelf = |shelf: &ShelfRow| {
            let change = self.changes.shelves.get(&shelf.product_id);
            Left {
                place: Place {
                    product_id: shelf.product_id,
                    deal_number: None,
                },
                // Nor of a shelf in whose place a deal sells.
                is_empty: shelf.deal_id.is_none() && shelf.sums.available <= 0,
                has_grown: change.is_some_and(|by| by.available > 0),
            }
        };
        let deals = self.deals.values().map(at_deal);
        let all = deals.chain(self.shelves.values().map(at_shelf));
        all.filter(|left| left.is_empty || left.has_grown).collect()
    }

    /// Adds a deal that is to open at its time.
    pub fn schedule_deal(&mut self, deal: DealRow) {
        self.windows
            .insert((deal.product_id, deal.id), deal.window());
        self.changes.deal_life.insert(deal.id, DealWrite::Schedule);
        self.deals.insert(deal.id, deal);
    }

    /// Opens a deal, new or scheduled, in its shelf's place.
    pub fn open_deal(&mut self, deal: DealRow) {
        if let Some(shelf) = self.shelves.get_mut(&deal.product_id) {
            shelf.deal_id = Some(deal.id);
        }
        self.windows
            .insert((deal.product_id, deal.id), deal.window());
        let is_inserted = !self.deals.contains_key(&deal.id)
            || self.changes.deal_life.get(&deal.id) == Some(&DealWrite::Schedule);
        let write = match is_inserted {
            true => DealWrite::Open,
            false => DealWrite::Start,
        };
        self.changes.deal_life.insert(deal.id, write);
        self.deals.insert(deal.id, deal);
    }

    /// Whether a locked deal ever sold; its number is given only when the changes are written.
    pub fn has_opened(&self, deal: &DealRow) -> bool {
        let life = self.changes.deal_life.get(&deal.id);
        deal.number > 0 || matches!(life, Some(DealWrite::Open | DealWrite::Start))
    }

    /// Lets a locked deal that has opened sell, or not.
    pub fn set_deal(&mut self, id: DealId, status: DealStatus) {
        let Some(deal) = self.deals.get_mut(&id) else {
            return;
        };
        deal.status = status;
        self.changes.deal_life.entry(id).or_insert(DealWrite::Set);
    }

    /// Ends a locked deal; if it had its shelf's place, the shelf sells again.
    pub fn end_deal(&mut self, id: DealId) {
        let Some(deal) = self.deals.get_mut(&id) else {
            return;
        };
        deal.status = DealStatus::Ended;
        deal.ended_at = Some(self.now);
        let shelf = self.shelves.get_mut(&deal.product_id);
        if let Some(shelf) = shelf.filter(|shelf| shelf.deal_id == Some(id)) {
            shelf.deal_id = None;
        }
        self.windows.remove(&(deal.product_id, id));
        let write = self.changes.deal_life.entry(id).or_insert(DealWrite::End);
        if *write == DealWrite::Set {
            *write = DealWrite::End;
        }
    }

    /// Moves units of a locked shelf.
    pub fn move_shelf(&mut self, id: ProductId, by: Sums) {
        let Some(shelf) = self.shelves.get_mut(&id) else {
            debug_assert!(false, "shelf {id} is not locked");
            return;
        };
        shelf.sums.add(&by);
        self.changes.shelves.entry(id).or_default().add(&by);
    }

    /// Counts `units` more (or fewer) for a buyer of a limited deal.
    pub fn count_buyer(&mut self, deal_id: DealId, user_id: UserId, units: i64) {
        let has = self.buyers.entry((deal_id, user_id)).or_default();
        *has = has.saturating_add(units);
        self.changes.buyers.insert((deal_id, user_id));
    }
}
