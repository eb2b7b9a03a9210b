//! Ending a deal.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use domain::ProductId;

use crate::{
    deals::Deals,
    gate::Gate,
    ledger::{
        command::{Command, Outcome},
        deal::{DealRow, DealStatus},
    },
    stock::{StockError, unexpected},
};

/// A deal that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedDeal {
    /// The deal as it stands.
    pub deal: DealRow,
    /// Units that the product's shelf has now.
    pub shelf_available: i64,
    /// It was over already.
    pub was_ended: bool,
}

impl Deals {
    /// Ends the product's deal: what is available goes back to the shelf, open holds outlive it. A deal
    /// that is over stays as it is.
    ///
    /// # Errors
    /// [`StockError::NotFound`] for a product that never had a deal; else see [`StockError`]. After
    /// `Unavailable` the deal may be over: end it again.
    pub async fn end(&self, product_id: ProductId) -> Result<EndedDeal, StockError> {
        let store = &self.0.store;
        let latest = store.latest_deal(product_id).await?;
        let latest = latest.ok_or(StockError::NotFound)?;
        let was_ended = match latest.status {
            DealStatus::Ended => {
                self.forget(&latest).await;
                true
            }
            _ => !self.close(&latest).await?,
        };
        let deal = self.deal(latest.id).await?;
        let shelf = store.shelf(product_id).await?.ok_or(StockError::NotFound)?;
        if !was_ended {
            tracing::info!(deal.id = %deal.id, sold = deal.sums.sold, held = deal.sums.held, returned = deal.sums.returned, "deal ended");
        }
        Ok(EndedDeal {
            deal,
            shelf_available: shelf.sums.available,
            was_ended,
        })
    }

    /// Ends a deal that has opened: in the ledger, and then everything that knows of it here. Answers whether
    /// it was this that ended it.
    pub(super) async fn close(&self, deal: &DealRow) -> Result<bool, StockError> {
        let end = Command::EndDeal(deal.id);
        let has_changed = match self.0.stock.ask_ledger(end, None).await? {
            Outcome::DealStands { has_changed, .. } => has_changed,
            other => return Err(unexpected(other)),
        };
        self.forget(deal).await;
        // Another deal of the product may have waited for this.
        self.0.news.notify_one();
        Ok(has_changed)
    }

    /// Takes the route and the gate of an ended deal down. The next deal's are left alone.
    async fn forget(&self, deal: &DealRow) {
        self.0.stock.routes().remove(deal.product_id, deal.number);
        if let Some(gate) = &self.0.gate {
            drop_gate(gate, deal.product_id, deal.number).await;
            // Once more a little later: a request that read the deal while it ran may be loading its gate.
            self.0.leftovers.note(deal.product_id, deal.number);
        }
    }
}

/// Whether it is gone. A gate that outlives its deal does no harm: the ledger refuses what it admits, and
/// the next deal replaces it.
async fn drop_gate(gate: &Gate, product_id: ProductId, deal_number: i64) -> bool {
    match gate.drop_deal(product_id, deal_number).await {
        Ok(_) => true,
        Err(error) => {
            tracing::debug!(%error, product.id = %product_id, "the gate of an ended deal is left for later");
            false
        }
    }
}

/// Gates of ended deals that could not be taken down yet; their number is bounded by the products'.
#[derive(Debug, Default)]
pub(crate) struct Leftovers(Mutex<HashMap<ProductId, i64>>);

impl Leftovers {
    /// The product's gates up to this deal's are to go.
    pub(crate) fn note(&self, product_id: ProductId, deal_number: i64) {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = left.entry(product_id).or_default();
        *number = deal_number.max(*number);
    }

    /// Takes down what can be.
    pub(crate) async fn drop_all(&self, gate: &Gate) {
        let left = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for (product_id, number) in left {
            if !drop_gate(gate, product_id, number).await {
                self.note(product_id, number);
            }
        }
    }
}
