//! The rows that a transaction has locked, and the changes it will write.
//!
//! Figures change only through [`Book::move_deal`] and [`Book::move_shelf`], which keep the row and
//! the difference to write in step. Differences, not absolute values, go to the database: should two
//! transactions ever meet without a lock, its constraints still see every unit.

use std::collections::{BTreeMap, HashMap};

use domain::{DealId, Money, OrderId, ProductId, Timestamp, UserId};

use crate::ledger::{
    command::{Left, Place},
    hold::Hold,
};

/// Where the units of a deal or a shelf are. `initial + restocked = available + held + sold +
/// written_off + returned`, in a difference too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Units it opened with.
    pub initial: i64,
    /// Units added later.
    pub restocked: i64,
    /// Units that can be taken.
    pub available: i64,
    /// Units in open holds.
    pub held: i64,
    /// Units sold.
    pub sold: i64,
    /// Units taken out of the books.
    pub written_off: i64,
    /// Units handed back: a deal's to the shelf, a shelf's to a deal.
    pub returned: i64,
}

impl Sums {
    /// Whether every unit is somewhere and no figure is negative.
    pub fn is_sound(&self) -> bool {
        let figures = [
            self.initial,
            self.restocked,
            self.available,
            self.held,
            self.sold,
            self.written_off,
            self.returned,
        ];
        figures.iter().all(|figure| *figure >= 0) && self.is_balanced()
    }

    /// Whether every unit is somewhere.
    pub fn is_balanced(&self) -> bool {
        self.initial + self.restocked
            == self.available + self.held + self.sold + self.written_off + self.returned
    }

    /// Figures falsified to the end of the range stay there, and the database refuses them.
    fn add(&mut self, by: &Sums) {
        for (figure, by) in [
            (&mut self.initial, by.initial),
            (&mut self.restocked, by.restocked),
            (&mut self.available, by.available),
            (&mut self.held, by.held),
            (&mut self.sold, by.sold),
            (&mut self.written_off, by.written_off),
            (&mut self.returned, by.returned),
        ] {
            *figure = figure.saturating_add(by);
        }
    }
}

/// How far a deal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DealStatus {
    /// It will open at its time; the product sells from its shelf.
    Scheduled,
    /// It sells.
    Running,
    /// It keeps its units and sells none.
    Paused,
    /// It is over.
    Ended,
}

impl DealStatus {
    /// As it stands in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    /// Reads what [`DealStatus::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Scheduled, Self::Running, Self::Paused, Self::Ended]
            .into_iter()
            .find(|status| status.as_str() == text)
    }
}

/// A locked deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealRow {
    /// Its id.
    pub id: DealId,
    /// Its one product.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: String,
    /// Its number among the product's deals, from 1.
    pub number: i64,
    /// How far it has come.
    pub status: DealStatus,
    /// Price of one unit while it runs.
    pub unit_price: Money,
    /// Units one buyer may hold and buy, if limited.
    pub per_user_limit: Option<i64>,
    /// Opens at.
    pub starts_at: Timestamp,
    /// Closes at, if ever by itself.
    pub ends_at: Option<Timestamp>,
    /// Where its units are.
    pub sums: Sums,
    /// What the gate is owed; only grows.
    pub owed: i64,
}

impl DealRow {
    /// Running, and within its window.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.status == DealStatus::Running
            && self.starts_at <= now
            && self.ends_at.is_none_or(|end| now < end)
    }
}

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
    /// It is new; its figures are in the book, its number is given when it is inserted.
    Open,
    /// It is over.
    End,
}

/// What to write, in the order in which rows are locked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// Holds by order id.
    pub holds: BTreeMap<OrderId, HoldWrite>,
    /// Buyers whose units changed; the new figure is in the book.
    pub buyers: BTreeMap<(DealId, UserId), ()>,
    /// Figures of deals that were there before.
    pub deals: BTreeMap<DealId, DealChange>,
    /// Deals that open or end.
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
        if self.changes.deal_life.get(&id) == Some(&DealWrite::Open) {
            // A new row is written with the figures it has come to.
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
                is_empty: deal.sums.available <= 0,
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
                is_empty: shelf.sums.available <= 0,
                has_grown: change.is_some_and(|by| by.available > 0),
            }
        };
        let deals = self.deals.values().map(at_deal);
        let all = deals.chain(self.shelves.values().map(at_shelf));
        all.filter(|left| left.is_empty || left.has_grown).collect()
    }

    /// Opens a deal in its shelf's place.
    pub fn open_deal(&mut self, deal: DealRow) {
        if let Some(shelf) = self.shelves.get_mut(&deal.product_id) {
            shelf.deal_id = Some(deal.id);
        }
        self.changes.deal_life.insert(deal.id, DealWrite::Open);
        self.deals.insert(deal.id, deal);
    }

    /// Ends a locked deal; its shelf sells again.
    pub fn end_deal(&mut self, id: DealId) {
        let Some(deal) = self.deals.get_mut(&id) else {
            return;
        };
        deal.status = DealStatus::Ended;
        if let Some(shelf) = self.shelves.get_mut(&deal.product_id) {
            shelf.deal_id = None;
        }
        self.changes.deal_life.entry(id).or_insert(DealWrite::End);
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
        self.changes.buyers.insert((deal_id, user_id), ());
    }
}
