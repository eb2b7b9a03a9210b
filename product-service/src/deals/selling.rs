//! Pausing a deal, letting it go on, and changing how many units it has.

use domain::ProductId;

use crate::{
    deals::Deals,
    ledger::{
        command::{Command, Outcome, Refusal},
        deal::DealRow,
    },
    stock::{StockError, routes::DealRoute, unexpected},
};

/// A deal after it was told something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedDeal {
    /// The deal as it stands.
    pub deal: DealRow,
    /// It stood so before.
    pub was_so: bool,
}

impl Deals {
    /// Pauses the product's deal: it keeps its units and sells none.
    ///
    /// # Errors
    /// [`Refusal::DealNotOpen`] when the product has no open deal, [`StockError::NotFound`] for an unknown
    /// product; else see [`StockError`]. Doing it again is harmless.
    pub async fn pause(&self, product_id: ProductId) -> Result<ChangedDeal, StockError> {
        let open = self.open_deal(product_id).await?;
        let paused = self.change(&open, Command::PauseDeal(open.id)).await?;
        if paused.deal.status.is_open() {
            let routes = self.0.stock.routes();
            routes.insert(product_id, DealRoute::from(&paused.deal));
        }
        if !paused.was_so {
            tracing::info!(deal.id = %open.id, "deal paused");
        }
        Ok(paused)
    }

    /// Lets the product's paused deal sell again.
    ///
    /// # Errors
    /// As [`Deals::pause`].
    pub async fn resume(&self, product_id: ProductId) -> Result<ChangedDeal, StockError> {
        let open = self.open_deal(product_id).await?;
        let resumed = self.change(&open, Command::ResumeDeal(open.id)).await?;
        self.open_gate(&resumed.deal).await;
        if !resumed.was_so {
            tracing::info!(deal.id = %open.id, "deal resumed");
        }
        Ok(resumed)
    }

    /// Adds `delta` units to the product's open deal, or writes some off if it is negative.
    ///
    /// # Errors
    /// [`Refusal::OutOfStock`] when fewer are available than are to be written off; else as
    /// [`Deals::pause`], but after `Unavailable` it may have been done: look at the deal.
    pub async fn restock(
        &self,
        product_id: ProductId,
        delta: i64,
    ) -> Result<ChangedDeal, StockError> {
        let open = self.open_deal(product_id).await?;
        let command = Command::RestockDeal {
            deal_id: open.id,
            delta,
        };
        let restocked = self.change(&open, command).await?;
        tracing::info!(deal.id = %open.id, delta, available = restocked.deal.sums.available, "deal restocked");
        Ok(restocked)
    }

    /// The product's deal that runs or is paused.
    async fn open_deal(&self, product_id: ProductId) -> Result<DealRow, StockError> {
        let store = &self.0.store;
        match store.latest_deal(product_id).await? {
            Some(deal) if deal.status.is_open() => Ok(deal),
            Some(_) => Err(StockError::Refused(Refusal::DealNotOpen(product_id))),
            None if store.shelf(product_id).await?.is_some() => {
                Err(StockError::Refused(Refusal::DealNotOpen(product_id)))
            }
            None => Err(StockError::NotFound),
        }
    }

    async fn change(&self, open: &DealRow, command: Command) -> Result<ChangedDeal, StockError> {
        match self.0.stock.ask_ledger(command, None).await? {
            Outcome::DealStands { has_changed, .. } => Ok(ChangedDeal {
                deal: self.deal(open.id).await?,
                was_so: !has_changed,
            }),
            Outcome::Unknown => Err(StockError::NotFound),
            other => Err(unexpected(other)),
        }
    }
}
