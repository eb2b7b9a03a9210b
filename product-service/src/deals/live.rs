//! Where every unit of a deal is, now.

use domain::ProductId;

use crate::{
    deals::Deals,
    gate::{Gate, Settled},
    ledger::deal::DealRow,
    stock::StockError,
};

/// The gate of a deal as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GateView {
    /// Whether there is one.
    pub present: bool,
    /// Units it would still admit.
    pub quantity: Option<i64>,
    /// Units it has admitted to batches that are not yet off its list.
    pub in_flight: Option<i64>,
    /// All that it has been handed of what it is owed.
    pub owed_seen: Option<i64>,
}

/// A deal with its gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveDeal {
    /// The product's open deal, or its last one.
    pub deal: DealRow,
    /// `None` where there is no gate at all.
    pub gate: Option<GateView>,
    /// Units the gate admits beyond what the ledger has; negative: too few. `None` without a gate.
    pub drift: Option<i64>,
}

impl Deals {
    /// The live sum: the gate is read before the ledger, so that a unit on its way is not missed.
    ///
    /// # Errors
    /// [`StockError::NotFound`] for a product that never had a deal; else see [`StockError`].
    pub async fn live(&self, product_id: ProductId) -> Result<LiveDeal, StockError> {
        let store = &self.0.store;
        let latest = store.latest_deal(product_id).await?;
        let latest = latest.ok_or(StockError::NotFound)?;
        let gate = match &self.0.gate {
            Some(gate) => Some(view(gate, &latest).await),
            None => None,
        };
        let deal = self.deal(latest.id).await?;
        let drift = gate.and_then(|gate| gate.drift(&deal));
        Ok(LiveDeal { deal, gate, drift })
    }
}

async fn view(gate: &Gate, deal: &DealRow) -> GateView {
    match gate.settle(deal.product_id, deal.number, deal.owed).await {
        Ok(settled) => GateView::from(settled),
        Err(error) => {
            tracing::debug!(%error, deal.id = %deal.id, "the gate cannot be read");
            GateView::default()
        }
    }
}

impl From<Settled> for GateView {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Open {
                quantity,
                owed,
                in_flight_units,
                ..
            } => Self {
                present: true,
                quantity: Some(quantity),
                in_flight: Some(in_flight_units),
                owed_seen: Some(owed),
            },
            Settled::Missing | Settled::StaleCaller => Self::default(),
        }
    }
}

impl GateView {
    /// What the gate and its batches in flight have beyond what the ledger has and still owes it,
    /// once `deal` is read after the gate.
    pub(crate) fn drift(&self, deal: &DealRow) -> Option<i64> {
        let still_owed = (deal.owed - self.owed_seen?).max(0);
        Some(self.quantity? + self.in_flight? + still_owed - deal.sums.available)
    }
}
