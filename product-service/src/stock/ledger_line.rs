//! Commits what waits, together, and answers after the commit.
//!
//! Hot and normal lines have a worker each, so that a flash sale does not stand in the way of the rest
//! of the shop.

use std::{sync::Arc, time::Duration};

use domain::{BatchId, IdSource, OrderId};
use service_kit::batcher::{Batcher, BatcherOptions, Call, PushError, Worker};
use tokio::{
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    ledger::command::{Bundle, Command, GateBatch, Left, Outcome, Owed, Route, Settled},
    metrics,
    stock::sold_out::SoldOut,
    store::{Store, commit::CommitError},
};

/// How long a transaction that cannot commit is tried again before its callers are told.
const COMMIT_PATIENCE: Duration = Duration::from_secs(3);
/// How long the fate of an unanswered commit is asked for.
const RESOLVE_PATIENCE: Duration = Duration::from_secs(5);
/// First pause between tries; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(5);
const PAUSE_MAX: Duration = Duration::from_millis(200);

/// A command and who waits for its outcome. A call that is dropped tells its caller that the outcome
/// is not known.
pub(crate) type LedgerCall = Call<Command, Outcome>;

/// What is committed together or not at all.
#[derive(Debug)]
pub(crate) struct Lot {
    /// The gate's batches whose units it carries.
    pub(crate) gate_batches: Vec<GateBatch>,
    /// Orders that one of these batches admitted or passed, but that go no further.
    pub(crate) losers: Vec<OrderId>,
    /// In order of arrival.
    pub(crate) calls: Vec<LedgerCall>,
    /// The gate's permit to have this lot under way.
    #[expect(
        dead_code,
        reason = "given back when the lot is dropped, after its answers"
    )]
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Lot {
    /// One command that never saw the gate.
    pub(crate) fn single(call: LedgerCall) -> Self {
        Self {
            gate_batches: Vec::new(),
            losers: Vec::new(),
            calls: vec![call],
            permit: None,
        }
    }

    /// The orders that did not come to hold anything.
    fn not_taken(&self, outcomes: &[Outcome]) -> Vec<OrderId> {
        let decided = self.calls.iter().zip(outcomes);
        let refused = decided.filter(|(_, outcome)| !matches!(outcome, Outcome::Taken(_)));
        let refused = refused.filter_map(|(call, _)| call.request.order_id());
        refused.chain(self.losers.iter().copied()).collect()
    }

    /// What to commit. What nobody waits for any more is not begun; what the gate took is owed.
    fn bundle(&self, now: Instant) -> Bundle {
        let command = |call: &LedgerCall| match &call.request {
            Command::GiveBack(units) => Command::GiveBack(units.clone()),
            command if !call.is_abandoned(now) => command.clone(),
            Command::Take(take) => Command::GiveBack(take.gate_units()),
            _ => Command::GiveBack(Vec::new()),
        };
        Bundle {
            gate_batches: self.gate_batches.clone(),
            commands: self.calls.iter().map(command).collect(),
        }
    }
}

/// The queue was full, or is closed: nothing was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the ledger's queue is full")]
pub(crate) struct NotQueued;

/// What follows a commit, outside the ledger.
pub(crate) trait AfterCommit: Send + Sync + std::fmt::Debug {
    /// Something was written.
    fn committed(&self);
    /// A batch of the gate is recorded: it is no longer in flight. Of its orders the ledger did not
    /// take those `not_taken`; others may be among them.
    fn recorded(&self, batch: GateBatch, not_taken: &[OrderId]);
    /// A gate is owed more.
    fn owes(&self, owed: Owed);
}

/// Bounds of the ledger's queues.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LedgerOptions {
    /// Commands in one transaction; 1 turns group commit off.
    pub(crate) batch_max: usize,
    /// Commands that may wait for each worker.
    pub(crate) queue_max: usize,
}

/// The callers' side of the ledger; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    hot: Batcher<Uuid, Lot>,
    cold: Batcher<Uuid, Lot>,
}

/// Both workers.
#[derive(Debug)]
pub(crate) struct LedgerWorkers {
    hot: Worker<Uuid, Lot>,
    cold: Worker<Uuid, Lot>,
    committer: Committer,
}

impl Ledger {
    /// The ledger over `store`, and the workers that must run for it to answer.
    pub(crate) fn new(
        store: Store,
        ids: IdSource,
        after: Arc<dyn AfterCommit>,
        sold_out: SoldOut,
        options: LedgerOptions,
    ) -> (Self, LedgerWorkers) {
        let queue = |name| BatcherOptions {
            name,
            batch_weight_max: options.batch_max,
            queue_weight_max: options.queue_max,
            key_weight_max: options.queue_max / 2,
            concurrency: 1,
        };
        let (hot, hot_worker) = Batcher::new(queue("ledger_hot"));
        let (cold, cold_worker) = Batcher::new(queue("ledger_normal"));
        let workers = LedgerWorkers {
            hot: hot_worker,
            cold: cold_worker,
            committer: Committer {
                store,
                ids,
                after,
                sold_out,
            },
        };
        (Self { hot, cold }, workers)
    }

    /// Queues one command that never saw the gate.
    ///
    /// # Errors
    /// When the queue is full.
    pub(crate) fn submit(&self, call: LedgerCall) -> Result<(), NotQueued> {
        let (queue, key) = self.queue_of(&call.request);
        queue.push(key, 1, Lot::single(call)).map_err(not_queued)
    }

    /// Queues what the gate has admitted; its number is bounded by the gate's permits.
    ///
    /// # Errors
    /// When the ledger is shutting down.
    pub(crate) fn submit_admitted(&self, lot: Lot) -> Result<(), NotQueued> {
        let weight = lot.calls.len();
        self.hot
            .push_reserved(ADMITTED, weight, lot)
            .map_err(not_queued)
    }

    /// Commands about deals, and those that end holds of either kind, go to the hot worker.
    fn queue_of(&self, command: &Command) -> (&Batcher<Uuid, Lot>, Uuid) {
        match command {
            Command::Take(take) => {
                let is_hot = |route: &Route| matches!(route, Route::Deal(_));
                let hot_line = take.lines.iter().find(|line| is_hot(&line.route));
                let line = hot_line.or(take.lines.first());
                let queue = if hot_line.is_some() {
                    &self.hot
                } else {
                    &self.cold
                };
                (queue, line.map_or(ENDINGS, |line| line.product_id.0))
            }
            Command::AdjustShelf { product_id, .. } => (&self.cold, product_id.0),
            Command::OpenDeal(_)
            | Command::ScheduleDeal(_)
            | Command::StartScheduled(_)
            | Command::CancelDeal(_)
            | Command::PauseDeal(_)
            | Command::ResumeDeal(_)
            | Command::RestockDeal { .. }
            | Command::EndDeal(_) => (&self.hot, DEALS),
            Command::Confirm(_)
            | Command::Restore { .. }
            | Command::Return { .. }
            | Command::Expire { .. }
            | Command::GiveBack(_) => (&self.hot, ENDINGS),
        }
    }
}

/// Lane of what the gate admitted; fairness between deals was seen to before the gate.
const ADMITTED: Uuid = Uuid::max();
/// Lane of confirms, restores and the like.
const ENDINGS: Uuid = Uuid::nil();
/// Lane of an operator's commands, which must not wait behind a sale's.
const DEALS: Uuid = Uuid::from_u128(1);

fn not_queued<T>(_: PushError<T>) -> NotQueued {
    NotQueued
}

impl LedgerWorkers {
    /// Runs both workers until `stop`, then works off what is queued.
    ///
    /// # Panics
    /// When a worker panics: a ledger that no longer answers must not look alive.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let committer = Arc::new(self.committer);
        let mut workers = JoinSet::new();
        for worker in [self.hot, self.cold] {
            let (committer, stop) = (Arc::clone(&committer), stop.clone());
            let commit = move |lots| {
                let committer = Arc::clone(&committer);
                async move { committer.commit(lots).await }
            };
            workers.spawn(worker.run(commit, stop));
        }
        finish(workers).await;
    }
}

/// Waits for all tasks; the panic of one is ours at once.
pub(crate) async fn finish(mut tasks: JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended
            && let Ok(panic) = error.try_into_panic()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

#[derive(Debug)]
struct Committer {
    store: Store,
    ids: IdSource,
    after: Arc<dyn AfterCommit>,
    sold_out: SoldOut,
}

impl Committer {
    /// Nobody is answered before the commit.
    async fn commit(&self, lots: Vec<Lot>) {
        let begun_at = Instant::now();
        let Some(settled) = self.settle(&lots).await else {
            return;
        };
        metrics::committed(begun_at.elapsed());
        self.remember(&settled.left, begun_at);
        self.after.committed();
        for owed in settled.owed {
            self.after.owes(owed);
        }
        for (lot, outcomes) in lots.into_iter().zip(settled.outcomes) {
            let not_taken = lot.not_taken(&outcomes);
            for batch in &lot.gate_batches {
                self.after.recorded(*batch, &not_taken);
            }
            for (call, outcome) in lot.calls.into_iter().zip(outcomes) {
                // Given up before it was begun: a call that is dropped tells no outcome.
                if outcome != Outcome::Done || matches!(call.request, Command::Expire { .. }) {
                    call.answer(outcome);
                }
            }
        }
    }

    /// What came back goes before what is gone: one of the two is true of a place.
    fn remember(&self, left: &[Left], asked_at: Instant) {
        let now = Instant::now();
        for left in left {
            if left.has_grown {
                self.sold_out.forget(left.place, now);
            }
            if left.is_empty {
                self.sold_out.note(left.place, asked_at, now);
            }
        }
    }

    /// Tries until it is known what became of the bundles; `None` when patience ran out.
    async fn settle(&self, lots: &[Lot]) -> Option<Settled> {
        let give_up_at = Instant::now() + COMMIT_PATIENCE;
        let mut pause = PAUSE_MIN;
        let mut is_apart = false;
        loop {
            let txn_id = BatchId(self.ids.next());
            let now = Instant::now();
            let bundles: Vec<Bundle> = lots.iter().map(|lot| lot.bundle(now)).collect();
            let result = if is_apart {
                self.store.commit_apart(txn_id, &bundles).await
            } else {
                self.store.commit(txn_id, &bundles).await
            };
            match result {
                Ok(settled) => return Some(settled),
                Err(CommitError::Raced) => {}
                Err(CommitError::Unclear { settled, source }) => {
                    tracing::warn!(error = %source, "a commit was not answered");
                    if self.has_committed(txn_id).await? {
                        return Some(settled);
                    }
                }
                Err(CommitError::Lost(error)) => {
                    tracing::warn!(%error, "a sale was not answered");
                    // Whether it has or not: from here on it can no longer, and what it took answers the
                    // next try. An order is a replay of its hold; one that came by the gate finds its
                    // batch recorded, goes through the gate again, and is a replay then.
                    self.has_committed(txn_id).await?;
                }
                Err(CommitError::Refused(error)) if !is_apart => {
                    tracing::error!(%error, "the database refused a batch; trying its commands apart");
                    is_apart = true;
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "a batch did not commit");
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
            metrics::commit_retried();
            if Instant::now() >= give_up_at {
                return None;
            }
        }
    }

    /// `None` when the database does not say in time.
    async fn has_committed(&self, txn_id: BatchId) -> Option<bool> {
        let give_up_at = Instant::now() + RESOLVE_PATIENCE;
        loop {
            match self.store.has_committed(txn_id).await {
                Ok(answer) => return Some(answer),
                Err(error) if Instant::now() < give_up_at => {
                    tracing::warn!(%error, "the fate of a commit is not known yet");
                    sleep(PAUSE_MAX).await;
                }
                Err(error) => {
                    tracing::error!(%error, "the fate of a commit stays unknown");
                    return None;
                }
            }
        }
    }
}
