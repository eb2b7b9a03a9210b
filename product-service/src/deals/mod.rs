//! The life of a deal, and its live sum.
//!
//! - `start`, `end`: units move between shelf and deal in the ledger's transaction; the gate
//!   follows.
//! - `schedule`: deals planned and plans dropped. `due`: what happens to them when their time has come.
//! - `selling`: pause, resume, restock. `list`: deals in pages. [`watch`]: deals told again whenever they
//!   change.
//! - `live`: where every unit is, in the ledger and at the gate.

mod due;
mod end;
mod list;
mod live;
mod schedule;
mod selling;
mod start;
pub mod watch;

use std::sync::Arc;

use domain::{DealId, IdSource};
use tokio::sync::Notify;

pub(crate) use self::end::Leftovers;
use self::watch::Watches;
pub use self::{
    end::EndedDeal,
    live::{GateView, LiveDeal},
    schedule::PlanDeal,
    selling::ChangedDeal,
    start::{StartDeal, Started},
};
use crate::{
    gate::Gate,
    ledger::deal::DealRow,
    stock::{Stock, StockError},
    store::Store,
};

/// A handle to all deals; clones share everything.
#[derive(Clone, Debug)]
pub struct Deals(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    stock: Stock,
    gate: Option<Gate>,
    ids: IdSource,
    /// Something is due sooner than the schedule knows.
    news: Notify,
    /// Gates that are still to go.
    leftovers: Leftovers,
    watches: Watches,
}

impl Deals {
    /// Over the ledger's stock, and the gate if there is one.
    pub(crate) fn new(
        store: Store,
        stock: Stock,
        gate: Option<Gate>,
        watches: Watches,
        ids: IdSource,
    ) -> Self {
        Self(Arc::new(Inner {
            watches,
            store,
            stock,
            gate,
            ids,
            news: Notify::new(),
            leftovers: Leftovers::default(),
        }))
    }

    /// The deals that are watched in this process.
    pub fn watches(&self) -> &Watches {
        &self.0.watches
    }

    /// Waits until something may be due sooner than was known.
    pub(crate) async fn news(&self) {
        self.0.news.notified().await;
    }

    /// Gates of ended deals that are still to go.
    pub(crate) fn leftovers(&self) -> &Leftovers {
        &self.0.leftovers
    }

    /// A deal as the ledger has it.
    ///
    /// # Errors
    /// [`StockError::NotFound`] for an unknown id; else see [`StockError`].
    pub async fn deal(&self, deal_id: DealId) -> Result<DealRow, StockError> {
        self.0
            .store
            .deal(deal_id)
            .await?
            .ok_or(StockError::NotFound)
    }
}
