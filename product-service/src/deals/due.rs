//! What the schedule does with a deal whose time has come. Any replica may, any number of times.

use domain::DealId;

use crate::{
    deals::Deals,
    ledger::{
        command::{Command, Outcome},
        deal::{DealRow, DealStatus},
    },
    metrics,
    stock::{StockError, unexpected},
};

impl Deals {
    /// Opens a scheduled deal if its time has come and no other deal of the product is open; ends it if its
    /// window is over. Answers how it stands then.
    ///
    /// # Errors
    /// [`StockError::NotFound`] for an unknown id; else see [`StockError`]. Doing it again is harmless.
    pub async fn start_due(&self, deal_id: DealId) -> Result<DealStatus, StockError> {
        let command = Command::StartScheduled(deal_id);
        let (status, has_changed) = match self.0.stock.ask_ledger(command, None).await? {
            Outcome::DealStands {
                status,
                has_changed,
            } => (status, has_changed),
            Outcome::Unknown => return Err(StockError::NotFound),
            other => return Err(unexpected(other)),
        };
        if status.is_open() {
            let deal = self.deal(deal_id).await?;
            self.open_gate(&deal).await;
            if has_changed {
                metrics::scheduled("started");
                tell_start(&deal);
            }
        } else if has_changed {
            metrics::scheduled("missed");
            tracing::warn!(deal.id = %deal_id, "the time of a scheduled deal passed before it could open: it has ended without a sale");
        }
        Ok(status)
    }

    /// Ends a deal that has opened, as [`Deals::end`] does.
    ///
    /// # Errors
    /// [`StockError::NotFound`] for an unknown id; else see [`StockError`]. Doing it again is harmless.
    pub async fn end_due(&self, deal_id: DealId) -> Result<(), StockError> {
        let deal = self.deal(deal_id).await?;
        if !deal.status.is_open() {
            return Ok(());
        }
        if !self.close(&deal).await? {
            return Ok(());
        }
        metrics::scheduled("ended");
        let deal = self.deal(deal_id).await?;
        tracing::info!(deal.id = %deal.id, sold = deal.sums.sold, held = deal.sums.held, returned = deal.sums.returned, "deal ended at its time");
        Ok(())
    }
}

fn tell_start(deal: &DealRow) {
    let (units, planned) = (deal.sums.initial, deal.planned);
    if units < planned {
        tracing::warn!(deal.id = %deal.id, product.id = %deal.product_id, units, planned, "deal started at its time with fewer units than planned: its shelf had no more");
    } else {
        tracing::info!(deal.id = %deal.id, product.id = %deal.product_id, units, "deal started at its time");
    }
}
