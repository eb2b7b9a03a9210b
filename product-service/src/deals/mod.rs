//! The life of a deal, and its live sum.
//!
//! - `start`, `end`: units move between shelf and deal in the ledger's transaction; the gate
//!   follows.
//! - `live`: where every unit is, in the ledger and at the gate.

mod end;
mod live;
mod start;

use std::sync::Arc;

use domain::{DealId, IdSource};

pub(crate) use self::end::drop_gate;
pub use self::{
    end::EndedDeal,
    live::{GateView, LiveDeal},
    start::{StartDeal, Started},
};
use crate::{
    gate::Gate,
    ledger::book::DealRow,
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
}

impl Deals {
    /// Over the ledger's stock, and the gate if there is one.
    pub(crate) fn new(store: Store, stock: Stock, gate: Option<Gate>, ids: IdSource) -> Self {
        Self(Arc::new(Inner {
            store,
            stock,
            gate,
            ids,
        }))
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
