//! Starting a deal.

use domain::{DealId, Money, ProductId, Timestamp};

use crate::{
    deals::{Deals, schedule::invalid},
    gate::GateLoad,
    ledger::{
        command::{Command, OpenDeal, Outcome, Refusal},
        deal::{DealRow, DealStatus},
    },
    stock::{StockError, routes::DealRoute, unexpected},
};

/// Terms of a deal that starts now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartDeal {
    /// The product.
    pub product_id: ProductId,
    /// Units to move from its shelf, at least 1; `None`: all of them.
    pub units: Option<i64>,
    /// Price of one unit while it runs; `None`: the product's.
    pub unit_price: Option<Money>,
    /// Units one buyer may hold and buy, at least 1; `None`: any number.
    pub per_user_limit: Option<i64>,
    /// When it closes by itself; `None`: never.
    pub ends_at: Option<Timestamp>,
}

/// A deal that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The deal as it stands.
    pub deal: DealRow,
    /// It was open already, and is unchanged.
    pub was_running: bool,
}

impl Deals {
    /// Opens a deal. Starting a product whose deal is open changes nothing, whatever the terms.
    ///
    /// # Errors
    /// [`Refusal::OutOfStock`] when the shelf has fewer units, or none; [`Refusal::DealPaused`] when the
    /// product's deal is paused; [`StockError::InvalidField`]
    /// for terms out of range; [`StockError::NotFound`] for an unknown product; else see
    /// [`StockError`]. After `Unavailable` the deal may be open: start it again.
    pub async fn start(&self, terms: StartDeal) -> Result<Started, StockError> {
        check(&terms)?;
        let deal_id = DealId(self.0.ids.next());
        let command = Command::OpenDeal(OpenDeal {
            deal_id,
            product_id: terms.product_id,
            units: terms.units,
            unit_price: terms.unit_price,
            per_user_limit: terms.per_user_limit,
            ends_at: terms.ends_at,
        });
        let open_id = match self.0.stock.ask_ledger(command, None).await? {
            Outcome::DealOpen(open_id) => open_id,
            Outcome::EndsInThePast => return Err(invalid("ends_at", "must be in the future")),
            Outcome::Refused(Refusal::ProductNotFound(_)) => return Err(StockError::NotFound),
            other => return Err(unexpected(other)),
        };
        let deal = self.deal(open_id).await?;
        if deal.status == DealStatus::Paused {
            return Err(StockError::Refused(Refusal::DealPaused(terms.product_id)));
        }
        self.open_gate(&deal).await;
        let was_running = open_id != deal_id;
        if !was_running {
            tracing::info!(deal.id = %deal.id, product.id = %deal.product_id, units = deal.sums.initial, "deal started");
            // It may be due to end before the schedule would look again.
            self.0.news.notify_one();
        }
        Ok(Started { deal, was_running })
    }

    /// A gate that cannot be loaded now is loaded by the first request that misses it. A deal that has ended
    /// meanwhile gets none.
    pub(super) async fn open_gate(&self, deal: &DealRow) {
        if !deal.status.is_open() {
            return;
        }
        let routes = self.0.stock.routes();
        routes.insert(deal.product_id, DealRoute::from(deal));
        if let Some(gate) = &self.0.gate
            && let Err(error) = gate.load(&GateLoad::from(deal)).await
        {
            tracing::warn!(%error, deal.id = %deal.id, "the gate is not loaded yet");
        }
    }
}

fn check(terms: &StartDeal) -> Result<(), StockError> {
    if terms.units.is_some_and(|units| units < 1) {
        return Err(invalid("quantity", "must be at least 1"));
    }
    if terms.per_user_limit.is_some_and(|limit| limit < 1) {
        return Err(invalid("per_user_limit", "must be at least 1"));
    }
    Ok(())
}
