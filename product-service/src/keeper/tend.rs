//! Every second: the routes are read, gates get what they are owed, batches of dead processes are
//! voided, and gate and ledger are compared. A gate that no script can work with is wiped.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use domain::{DealId, ProductId};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    deals::{Deals, GateView},
    gate::{Gate, GateError, Raise, Raised, STALE_AFTER, Settled},
    ledger::deal::{DealRow, DealStatus},
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
    deals: Deals,
    gate: Option<Gate>,
    /// Deals that ended lately have been looked for.
    knows_ended: bool,
    /// By how many units gates were too low at the last reading.
    low: HashMap<DealId, i64>,
    /// Deals whose product had the gate of a later one at the last reading, of which the ledger knew
    /// nothing.
    overtaken: HashSet<DealId>,
}

/// What a round's settlement has found.
#[derive(Default)]
struct Found {
    views: HashMap<DealId, GateView>,
    overtaken: HashSet<DealId>,
}

impl Tender {
    pub(crate) fn new(store: Store, stock: Stock, deals: Deals, gate: Option<Gate>) -> Self {
        Self {
            store,
            stock,
            deals,
            gate,
            knows_ended: false,
            low: HashMap::new(),
            overtaken: HashSet::new(),
        }
    }

    /// Runs until `stop`.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "deals are not tended: the database does not answer");
            }
        }
    }

    /// A process that died between the end of a deal and the drop of its gate left the gate behind.
    async fn look_for_gates_of_ended_deals(&mut self) -> Result<(), sqlx::Error> {
        if self.gate.is_some() && !self.knows_ended {
            for (product_id, number) in self.store.lately_ended_deals().await? {
                self.deals.leftovers().note(product_id, number);
            }
            self.knows_ended = true;
        }
        Ok(())
    }

    async fn round(&mut self) -> Result<(), sqlx::Error> {
        self.look_for_gates_of_ended_deals().await?;
        let before = self.stock.routes().table();
        let open = self.store.open_deals().await?;
        metrics::open_deals(open.len());
        let gone = self.stock.routes().replace(&before, &open);
        for (product_id, number) in gone {
            if self.has_ended(product_id, number).await? {
                self.deals.leftovers().note(product_id, number);
            }
        }
        let Some(gate) = self.gate.clone().filter(Gate::is_up) else {
            return Ok(());
        };
        self.deals.leftovers().drop_all(&gate).await;
        let found = self.settle(&gate, &open).await;
        // Read after the gate, so that a unit on its way, or a deal that has just ended, is not missed.
        let now = self.store.open_deals().await?;
        self.wipe_overtaken(&gate, &now, found.overtaken).await;
        self.compare(&gate, &now, &found.views).await;
        Ok(())
    }

    /// A deal that is not among the open ones may have started only after they were read.
    async fn has_ended(&self, product_id: ProductId, number: i64) -> Result<bool, sqlx::Error> {
        let latest = self.store.latest_deal(product_id).await?;
        Ok(latest.is_some_and(|latest| {
            latest.number > number
                || (latest.number == number && latest.status == DealStatus::Ended)
        }))
    }

    /// Hands over what is owed, voids what is stale, and answers how each gate stands.
    async fn settle(&self, gate: &Gate, open: &[DealRow]) -> Found {
        let debt = |deal: &DealRow| (deal.product_id, deal.number, deal.owed);
        let debts: Vec<(ProductId, i64, i64)> = open.iter().map(debt).collect();
        let mut found = Found::default();
        for (deal, settled) in open.iter().zip(gate.settle_many(&debts).await) {
            match settled {
                Ok(settled) => {
                    match settled {
                        Settled::Open { stale_batches, .. } if stale_batches > 0 => {
                            self.void_stale(gate, deal).await;
                        }
                        Settled::StaleCaller => _ = found.overtaken.insert(deal.id),
                        Settled::Open { .. } | Settled::Missing => {}
                    }
                    found.views.insert(deal.id, GateView::from(settled));
                }
                Err(error @ GateError::Protocol(_)) => wipe(gate, deal, &error.to_string()).await,
                Err(error) => tracing::debug!(%error, deal.id = %deal.id, "a gate was not settled"),
            }
        }
        found
    }

    /// A deal that is still open after its gate was found to be a later one's: at two readings, the
    /// gate was changed by hand, or the ledger is of before that deal.
    async fn wipe_overtaken(&mut self, gate: &Gate, now: &[DealRow], mut found: HashSet<DealId>) {
        found.retain(|id| now.iter().any(|deal| deal.id == *id));
        for deal in now {
            if found.contains(&deal.id) && self.overtaken.contains(&deal.id) {
                wipe(gate, deal, "it is of a later deal than the ledger knows").await;
            }
        }
        self.overtaken = found;
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

    /// Publishes the drift, and raises a gate that is too low at two readings by what it lacked at both:
    /// only a hand can have made it so.
    async fn compare(&mut self, gate: &Gate, now: &[DealRow], views: &HashMap<DealId, GateView>) {
        let (mut high, mut low) = (0, 0);
        let mut low_now = HashMap::new();
        for deal in now {
            let Some((view, drift)) = drift(views, deal) else {
                continue;
            };
            high += drift.max(0);
            let lacking = (-drift).max(0);
            low += lacking;
            if lacking == 0 || deal.status != DealStatus::Running {
                continue;
            }
            let by = self
                .low
                .get(&deal.id)
                .map_or(0, |&before| before.min(lacking));
            let raised = if by > 0 {
                raise(gate, deal, &view, by).await
            } else {
                0
            };
            if raised < lacking {
                low_now.insert(deal.id, lacking - raised);
            }
        }
        self.low = low_now;
        metrics::drift(high, low);
    }
}

fn drift(views: &HashMap<DealId, GateView>, deal: &DealRow) -> Option<(GateView, i64)> {
    let view = *views.get(&deal.id)?;
    Some((view, view.drift(deal)?))
}

/// Answers by how many units the gate was raised.
async fn raise(gate: &Gate, deal: &DealRow, view: &GateView, by: i64) -> i64 {
    let (Some(quantity), Some(owed)) = (view.quantity, view.owed_seen) else {
        return 0;
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
            by
        }
        // It has changed since it was read: the next reading finds it as low.
        Ok(_) => 0,
        Err(error) => {
            tracing::debug!(%error, deal.id = %deal.id, "a gate was not raised");
            0
        }
    }
}

/// The next request loads it afresh.
async fn wipe(gate: &Gate, deal: &DealRow, why: &str) {
    match gate.wipe(deal.product_id).await {
        Ok(()) => {
            tracing::warn!(deal.id = %deal.id, why, "wiped a gate that no script can work with");
        }
        Err(error) => tracing::debug!(%error, deal.id = %deal.id, "a gate was not wiped"),
    }
}
