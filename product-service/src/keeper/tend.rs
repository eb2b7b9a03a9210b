//! Every second: the routes are read, gates get what they are owed, batches of dead processes are
//! voided, and gate and ledger are compared.

use std::{collections::HashMap, time::Duration};

use domain::{DealId, ProductId};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    deals::{GateView, drop_gate},
    gate::{Gate, Raise, Raised, STALE_AFTER, Settled},
    ledger::book::{DealRow, DealStatus},
    metrics,
    stock::Stock,
    store::Store,
};

const EVERY: Duration = Duration::from_secs(1);

/// Tends routes and gates.
#[derive(Debug)]
pub(crate) struct Tender {
    store: Store,
    stock: Stock,
    gate: Option<Gate>,
    /// Gates that were too low at the last reading.
    low: HashMap<DealId, GateView>,
}

impl Tender {
    pub(crate) fn new(store: Store, stock: Stock, gate: Option<Gate>) -> Self {
        Self {
            store,
            stock,
            gate,
            low: HashMap::new(),
        }
    }

    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        self.drop_gates_of_ended_deals().await;
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "deals are not tended: the database does not answer");
            }
        }
    }

    /// A process that died between the end of a deal and the drop of its gate left the gate behind.
    async fn drop_gates_of_ended_deals(&self) {
        let (Some(gate), Ok(ended)) = (&self.gate, self.store.lately_ended_deals().await) else {
            return;
        };
        for (product_id, number) in ended {
            drop_gate(gate, product_id, number).await;
        }
    }

    async fn round(&mut self) -> Result<(), sqlx::Error> {
        let open = self.store.open_deals().await?;
        metrics::open_deals(open.len());
        let gone = self.stock.routes().replace(&open);
        let Some(gate) = self.gate.clone().filter(Gate::is_up) else {
            return Ok(());
        };
        for (product_id, number) in gone {
            drop_gate(&gate, product_id, number).await;
        }
        let views = self.settle(&gate, &open).await;
        self.compare(&gate, views).await
    }

    /// Hands over what is owed, voids what is stale, and answers how each gate stands.
    async fn settle(&self, gate: &Gate, open: &[DealRow]) -> HashMap<DealId, GateView> {
        let debt = |deal: &DealRow| (deal.product_id, deal.number, deal.owed);
        let debts: Vec<(ProductId, i64, i64)> = open.iter().map(debt).collect();
        let mut views = HashMap::new();
        for (deal, settled) in open.iter().zip(gate.settle_many(&debts).await) {
            match settled {
                Ok(settled) => {
                    if matches!(settled, Settled::Open { stale_batches, .. } if stale_batches > 0) {
                        self.void_stale(gate, deal).await;
                    }
                    views.insert(deal.id, GateView::from(settled));
                }
                Err(error) => tracing::debug!(%error, deal.id = %deal.id, "a gate was not settled"),
            }
        }
        views
    }

    /// Batches that a dead process left between gate and ledger: the ledger records them as void, then
    /// the gate forgets them.
    async fn void_stale(&self, gate: &Gate, deal: &DealRow) {
        let stale = match gate.stale_batches(deal.product_id, STALE_AFTER).await {
            Ok(stale) => stale,
            Err(error) => {
                tracing::debug!(%error, deal.id = %deal.id, "stale batches cannot be read");
                return;
            }
        };
        for batch in stale
            .into_iter()
            .filter(|batch| batch.deal_number == deal.number)
        {
            let voided = match self.store.void(batch.batch_id, deal.id, batch.units).await {
                Ok(voided) => voided,
                Err(error) => {
                    tracing::warn!(%error, batch.id = %batch.batch_id, "a batch cannot be voided yet");
                    continue;
                }
            };
            if voided.is_void {
                metrics::voided();
                tracing::warn!(batch.id = %batch.batch_id, batch.units, deal.id = %deal.id, "voided a batch that was left between gate and ledger");
            }
            let told = gate
                .void(
                    deal.product_id,
                    deal.number,
                    batch.batch_id,
                    voided.owed,
                    voided.is_void,
                )
                .await;
            if let Err(error) = told {
                tracing::debug!(%error, "the gate forgets a voided batch with the next round");
            }
        }
    }

    /// Publishes the drift, and raises a gate that is too low at two readings: only a hand can have
    /// made it so.
    async fn compare(
        &mut self,
        gate: &Gate,
        views: HashMap<DealId, GateView>,
    ) -> Result<(), sqlx::Error> {
        let (mut high, mut low) = (0, 0);
        let mut low_now = HashMap::new();
        // Read after the gate, so that a unit on its way is not missed.
        for deal in self.store.open_deals().await? {
            let Some((view, drift)) = drift(&views, &deal) else {
                continue;
            };
            high += drift.max(0);
            low += (-drift).max(0);
            if drift >= 0 || deal.status != DealStatus::Running {
                continue;
            }
            if self.low.get(&deal.id) == Some(&view) {
                raise(gate, &deal, &view, -drift).await;
            } else {
                low_now.insert(deal.id, view);
            }
        }
        self.low = low_now;
        metrics::drift(high, low);
        Ok(())
    }
}

fn drift(views: &HashMap<DealId, GateView>, deal: &DealRow) -> Option<(GateView, i64)> {
    let view = *views.get(&deal.id)?;
    Some((view, view.drift(deal)?))
}

async fn raise(gate: &Gate, deal: &DealRow, view: &GateView, by: i64) {
    let (Some(quantity), Some(owed)) = (view.quantity, view.owed_seen) else {
        return;
    };
    let raise = Raise {
        product: deal.product_id,
        deal_number: deal.number,
        expected_quantity: quantity,
        expected_owed: owed,
        quantity: quantity + by,
    };
    match gate.raise(&raise).await {
        Ok(Raised::Raised) => {
            metrics::raised();
            tracing::warn!(deal.id = %deal.id, units = by, "raised a gate that was too low");
        }
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, deal.id = %deal.id, "a gate was not raised"),
    }
}
