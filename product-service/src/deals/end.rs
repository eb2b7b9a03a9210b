//! Ending a deal.

use domain::ProductId;

use crate::{
    deals::Deals,
    gate::Gate,
    ledger::{
        book::{DealRow, DealStatus},
        command::{Command, Outcome},
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
        let was_ended = latest.status == DealStatus::Ended;
        if !was_ended {
            match self
                .0
                .stock
                .ask_ledger(Command::EndDeal(latest.id), None)
                .await?
            {
                Outcome::DealEnded => {}
                other => return Err(unexpected(other)),
            }
        }
        self.0.stock.routes().remove(product_id, latest.number);
        if let Some(gate) = &self.0.gate {
            drop_gate(gate, product_id, latest.number).await;
        }
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
}

/// A gate that outlives its deal does no harm: the ledger refuses what it admits, and the next deal
/// replaces it.
pub(crate) async fn drop_gate(gate: &Gate, product_id: ProductId, deal_number: i64) {
    if let Err(error) = gate.drop_deal(product_id, deal_number).await {
        tracing::warn!(%error, product.id = %product_id, "the gate of an ended deal is left behind");
    }
}
