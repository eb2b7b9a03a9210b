//! All hot requests that wait go through the gate together: one script call per product. Winners go
//! on to the ledger as one lot, losers are answered.

use std::{collections::HashSet, sync::Arc};

use domain::{BatchId, IdSource, OrderId, ProductId};
use futures::future::join_all;
use service_kit::batcher::{Batcher, BatcherOptions, Call, PushError, Worker};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    gate::{Admitted, Gate, GateLoad, Verdict},
    ledger::{
        command::{Command, GateBatch, Outcome, Refusal},
        deal::{DealRow, DealStatus},
    },
    stock::{
        StockError,
        ask::{Answer, Ask, Candidate, GateCall, Judgement, asks},
        ledger_line::{Ledger, LedgerCall, Lot},
        second_look::{Refused, second_look},
        sold_out::SoldOut,
    },
    store::Store,
};

/// Batches of the gate that may be between gate and ledger at once: enough for the next to be ready
/// when the ledger has committed one.
const LOTS_UNDER_WAY_MAX: usize = 4;
/// A gate is loaded and asked again at most this often before its requests go straight to the ledger.
const LOADS_MAX: usize = 3;

/// The queue before the gate.
#[derive(Debug, Clone)]
pub(crate) struct GateLine {
    gate: Gate,
    queue: Batcher<ProductId, GateCall>,
}

impl GateLine {
    /// The queue, and the worker that must run for it to move.
    pub(crate) fn new(parts: GateParts, batch_max: usize, queue_max: usize) -> (Self, GateWorker) {
        let (queue, worker) = Batcher::new(BatcherOptions {
            name: "gate",
            batch_weight_max: batch_max,
            queue_weight_max: queue_max,
            key_weight_max: queue_max / 2,
            concurrency: LOTS_UNDER_WAY_MAX,
        });
        let gate = parts.gate.clone();
        let passage = Passage {
            parts,
            permits: Arc::new(Semaphore::new(LOTS_UNDER_WAY_MAX)),
        };
        (Self { gate, queue }, GateWorker { worker, passage })
    }

    pub(super) fn is_up(&self) -> bool {
        self.gate.is_up()
    }

    /// Queues a request.
    ///
    /// # Errors
    /// When the queue, or its product's share of it, is full.
    pub(super) fn submit(
        &self,
        candidate: Candidate,
        deadline: Option<Instant>,
    ) -> Result<oneshot::Receiver<Outcome>, StockError> {
        let hot_lines = candidate.take.lines.iter().zip(&candidate.numbers);
        let key = hot_lines
            .filter(|(_, number)| number.is_some())
            .map(|(line, _)| line.product_id)
            .next();
        let key = key.ok_or(StockError::Internal)?;
        let (call, reply) = Call::new(candidate, deadline);
        match self.queue.push(key, 1, call) {
            Ok(()) => Ok(reply),
            Err(PushError::Full(_) | PushError::Closed(_)) => Err(StockError::Overloaded),
        }
    }
}

/// What a passage needs.
#[derive(Debug)]
pub(crate) struct GateParts {
    pub(crate) gate: Gate,
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) ids: IdSource,
    pub(crate) sold_out: SoldOut,
}

/// Empties the queue before the gate.
#[derive(Debug)]
pub(crate) struct GateWorker {
    worker: Worker<ProductId, GateCall>,
    passage: Passage,
}

impl GateWorker {
    /// Runs until `stop`, then works off what is queued.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let passage = Arc::new(self.passage);
        let pass = move |calls| {
            let passage = Arc::clone(&passage);
            async move { passage.pass(calls).await }
        };
        self.worker.run(pass, stop).await;
    }
}

#[derive(Debug)]
struct Passage {
    parts: GateParts,
    permits: Arc<Semaphore>,
}

impl Passage {
    async fn pass(&self, mut calls: Vec<GateCall>) {
        // Held until the ledger has committed: what is between gate and ledger stays bounded.
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
            return;
        };
        let now = Instant::now();
        calls.retain(|call| !call.is_abandoned(now));
        let asks = asks(&calls);
        let answers = join_all(asks.iter().map(|ask| self.ask_gate(ask))).await;
        let mut judgements: Vec<Judgement> = calls.iter().map(|_| Judgement::Through).collect();
        let (mut touched, mut let_in) = (Vec::new(), HashSet::new());
        for (ask, (batch_id, answer)) in asks.iter().zip(answers) {
            if ask.judge(&answer, &mut calls, &mut judgements, &mut let_in) {
                touched.push(GateBatch {
                    batch_id,
                    product_id: ask.product_id,
                });
            }
        }
        let refused = self.send_on(calls, judgements, (touched, let_in), permit);
        self.look_again(refused).await;
    }

    /// Asks the gate of one deal, loading it first if it is missing.
    async fn ask_gate(&self, ask: &Ask) -> (BatchId, Answer) {
        let GateParts {
            gate,
            ids,
            sold_out,
            ..
        } = &self.parts;
        let batch_id = BatchId(ids.next());
        for _ in 0..=LOADS_MAX {
            let asked_at = Instant::now();
            let admitted = gate
                .admit(ask.product_id, ask.number, batch_id, &ask.admissions)
                .await;
            match admitted {
                Ok(Admitted::Open { verdicts, quantity }) => {
                    if quantity <= 0 {
                        sold_out.note(ask.place(), asked_at, Instant::now());
                    }
                    return (batch_id, Answer::Verdicts(verdicts));
                }
                Ok(Admitted::StaleCaller) => return (batch_id, self.overtaken(ask).await),
                Ok(Admitted::Missing) => match self.load(ask).await {
                    Some(true) => {}
                    Some(false) => return (batch_id, Answer::Rerouted),
                    None => return (batch_id, Answer::Absent),
                },
                Err(error) => {
                    tracing::debug!(%error, product.id = %ask.product_id, "the gate gave no answer");
                    return (batch_id, Answer::Absent);
                }
            }
        }
        (batch_id, Answer::Absent)
    }

    /// The gate is of a later deal than the caller knows. Should the ledger know of none, the gate was
    /// changed by hand, or the database restored to before that deal: the ledger decides alone.
    async fn overtaken(&self, ask: &Ask) -> Answer {
        match self.running_deal(ask).await {
            Some(Some(_)) | None => Answer::Absent,
            Some(None) => Answer::Rerouted,
        }
    }

    /// The deal asked for, if the ledger says that it still runs; `None` if the ledger does not say.
    async fn running_deal(&self, ask: &Ask) -> Option<Option<DealRow>> {
        match self.parts.store.latest_deal(ask.product_id).await {
            Ok(deal) => Some(
                deal.filter(|deal| deal.number == ask.number && deal.status == DealStatus::Running),
            ),
            Err(error) => {
                tracing::warn!(%error, product.id = %ask.product_id, "a deal cannot be read");
                None
            }
        }
    }

    /// Loads the gate of a deal. `Some(false)`: it is no longer the product's running deal; `None`: it
    /// cannot be loaded now.
    async fn load(&self, ask: &Ask) -> Option<bool> {
        let Some(deal) = self.running_deal(ask).await? else {
            return Some(false);
        };
        self.parts.gate.load(&GateLoad::from(&deal)).await.ok()?;
        tracing::info!(deal.id = %deal.id, available = deal.sums.available, "gate loaded");
        Some(true)
    }

    /// Winners go to the ledger as one lot, with the units that losers took at some of their gates.
    /// Answers those of the losers to whom the gate's no is not final.
    fn send_on(
        &self,
        calls: Vec<GateCall>,
        judgements: Vec<Judgement>,
        (touched, let_in): (Vec<GateBatch>, HashSet<OrderId>),
        permit: OwnedSemaphorePermit,
    ) -> Vec<(Refused, Call<(), Outcome>)> {
        let mut lot = Lot {
            gate_batches: Vec::new(),
            losers: Vec::new(),
            calls: Vec::with_capacity(calls.len()),
            permit: Some(permit),
        };
        let mut refused = Vec::new();
        for (call, judgement) in calls.into_iter().zip(judgements) {
            if matches!(judgement, Judgement::Through) {
                lot.calls
                    .push(call.map(|candidate| Command::Take(candidate.take)));
                continue;
            }
            if let_in.contains(&call.request.take.order_id) {
                lot.losers.push(call.request.take.order_id);
            }
            let units = call.request.take.gate_units();
            if !units.is_empty() {
                lot.calls.push(nobodys(Command::GiveBack(units)));
            }
            match judgement {
                Judgement::No { line, verdict } => refused.extend(refuse(call, line, verdict)),
                _ => call.answer(Outcome::Rerouted),
            }
        }
        if lot.calls.is_empty() {
            // Admissions that only passed took nothing: there is nothing to record.
            for batch in touched {
                let GateBatch {
                    batch_id,
                    product_id,
                } = batch;
                self.parts.gate.done(product_id, batch_id, &lot.losers);
            }
        } else {
            lot.gate_batches = touched;
            if self.parts.ledger.submit_admitted(lot).is_err() {
                tracing::warn!(
                    "the ledger is shutting down; what the gate admitted will be voided"
                );
            }
        }
        refused
    }

    async fn look_again(&self, refused: Vec<(Refused, Call<(), Outcome>)>) {
        if refused.is_empty() {
            return;
        }
        let (refused, calls): (Vec<Refused>, Vec<_>) = refused.into_iter().unzip();
        match second_look(&self.parts.store, &refused).await {
            Ok(outcomes) => {
                for (call, outcome) in calls.into_iter().zip(outcomes) {
                    call.answer(outcome);
                }
            }
            // Dropped calls tell their callers that the outcome is not known.
            Err(error) => tracing::warn!(%error, "orders the gate refused cannot be looked up"),
        }
    }
}

/// Answers a loser to whom the gate's no is final; gives any other back for a second look.
fn refuse(call: GateCall, line: usize, verdict: Verdict) -> Option<(Refused, Call<(), Outcome>)> {
    let lacks_stock = matches!(verdict, Verdict::TooFew | Verdict::SoldOut);
    if call.request.is_first_attempt && lacks_stock {
        let product_id = call.request.take.lines[line].product_id;
        call.answer(Outcome::Refused(Refusal::OutOfStock(product_id)));
        return None;
    }
    let take = call.request.take.clone();
    let refused = Refused {
        take,
        line,
        verdict,
    };
    Some((refused, call.map(|_| ())))
}

/// A command that nobody waits for.
fn nobodys(command: Command) -> LedgerCall {
    Call::new(command, None).0
}

impl From<&DealRow> for GateLoad {
    fn from(deal: &DealRow) -> Self {
        Self {
            product: deal.product_id,
            deal_id: deal.id,
            deal_number: deal.number,
            quantity: deal.sums.available,
            owed: deal.owed,
            per_user_limit: deal.per_user_limit,
        }
    }
}
