//! The group commit of inserts. A batch whose outcome is unclear is begun again: the statement inserts
//! what is missing and reads back what is there, so that repeating it is how one finds out.

use std::time::Duration;

use ::metrics::Histogram;
use domain::ProductId;
use service_kit::batcher::{Batcher, BatcherOptions, Call, PushError, Worker};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::{
    metrics,
    store::{
        Store, StoreError,
        insert::{Inserted, NewOrder},
    },
};

const QUEUE_LEN_MAX: usize = 4096;
/// Two, so that one batch is filled and parsed while the other waits for the disk.
const BATCHES_AT_ONCE: usize = 2;
const BACK_OFF_MIN: Duration = Duration::from_millis(20);
const BACK_OFF_MAX: Duration = Duration::from_millis(500);
/// How much longer than its deadline an order waits for a batch that was begun before it.
const GRACE: Duration = Duration::from_millis(500);

type InsertCall = Call<NewOrder, Result<Inserted, NotInserted>>;

/// Why an order was not stored, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotInserted {
    /// The hold's deadline passed first: nothing is stored.
    #[error("the hold ended before the order was stored")]
    TooLate,
    /// Too many wait, or the service is shutting down: nothing is stored.
    #[error("too many orders wait to be stored")]
    Full,
    /// The database did not take it before the deadline: nothing is stored.
    #[error("the order could not be stored in time")]
    NotBegun,
    /// The database refused the row: nothing is stored.
    #[error("the order's row was refused")]
    Refused,
    /// It may be stored.
    #[error("it is not known whether the order was stored")]
    Unknown,
}

/// The callers' side.
#[derive(Debug, Clone)]
pub struct Inserter {
    batcher: Batcher<ProductId, InsertCall>,
}

/// The side that runs.
#[derive(Debug)]
pub struct InsertWorker {
    inserts: Inserts,
    worker: Worker<ProductId, InsertCall>,
}

/// Where to insert.
#[derive(Debug)]
struct Inserts {
    store: Store,
    took: Histogram,
}

/// An inserter into `store` of at most `batch_len_max` orders at once; with 1, every order has its own
/// commit and as many as `connections_max` are under way at once.
pub fn inserter(
    store: Store,
    batch_len_max: usize,
    connections_max: usize,
) -> (Inserter, InsertWorker) {
    let concurrency = if batch_len_max == 1 {
        connections_max
    } else {
        BATCHES_AT_ONCE
    };
    let (batcher, worker) = Batcher::new(BatcherOptions {
        name: "order_insert",
        batch_weight_max: batch_len_max,
        queue_weight_max: QUEUE_LEN_MAX,
        key_weight_max: QUEUE_LEN_MAX / 2,
        concurrency,
    });
    let took = metrics::inserts();
    let inserts = Inserts { store, took };
    (Inserter { batcher }, InsertWorker { inserts, worker })
}

impl Inserter {
    /// Inserts an order together with the others that wait.
    ///
    /// # Errors
    /// When it is not stored, or not known to be soon after `deadline`.
    pub async fn insert(
        &self,
        order: NewOrder,
        deadline: Instant,
    ) -> Result<Inserted, NotInserted> {
        let key = lane(&order);
        let (call, reply) = Call::new(order, Some(deadline));
        match self.batcher.push(key, 1, call) {
            Ok(()) => {}
            Err(PushError::Full(_) | PushError::Closed(_)) => return Err(NotInserted::Full),
        }
        match timeout_at(deadline + GRACE, reply).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) | Err(_) => Err(NotInserted::Unknown),
        }
    }
}

/// The queue's key of an order: buyers of one product do not push out those of another.
fn lane(order: &NewOrder) -> ProductId {
    order
        .lines
        .first()
        .map_or(ProductId(order.id.0), |line| line.product_id)
}

impl InsertWorker {
    /// Inserts until `stop`, then what is still queued.
    pub async fn run(self, stop: CancellationToken) {
        let inserts = &self.inserts;
        let insert = |calls| insert_batch(inserts, calls);
        self.worker.run(insert, stop).await;
    }
}

async fn insert_batch(inserts: &Inserts, calls: Vec<InsertCall>) {
    let calls = begin(calls, NotInserted::NotBegun);
    let Err(calls) = try_batch(inserts, calls).await else {
        return;
    };
    // One row is to blame; the others must not suffer for it.
    for call in calls {
        if let Err(refused) = try_batch(inserts, vec![call]).await {
            answer_all(refused, NotInserted::Refused);
        }
    }
}

/// Answers `late` to the calls that nobody waits for any more, and gives the others back.
fn begin(calls: Vec<InsertCall>, late: NotInserted) -> Vec<InsertCall> {
    let now = Instant::now();
    let (abandoned, waiting) = calls.into_iter().partition(|call| call.is_abandoned(now));
    answer_all(abandoned, late);
    waiting
}

fn answer_all(calls: Vec<InsertCall>, answer: NotInserted) {
    for call in calls {
        call.answer(Err(answer));
    }
}

/// Inserts the batch, again and again while its outcome is open and somebody waits. Gives the calls
/// back if the database refuses the data.
async fn try_batch(inserts: &Inserts, mut calls: Vec<InsertCall>) -> Result<(), Vec<InsertCall>> {
    let mut late = NotInserted::NotBegun;
    let mut back_off = BACK_OFF_MIN;
    while !calls.is_empty() {
        let begun = Instant::now();
        let orders: Vec<&NewOrder> = calls.iter().map(|call| &call.request).collect();
        let result = inserts.store.insert(&orders).await;
        inserts.took.record(begun.elapsed().as_secs_f64());
        let error = match result {
            Ok(outcomes) => {
                for (call, outcome) in calls.into_iter().zip(outcomes) {
                    call.answer(Ok(outcome));
                }
                return Ok(());
            }
            Err(error) => error,
        };
        match after(&error) {
            After::Refused => {
                tracing::error!(%error, orders = calls.len(), "orders were refused by the database");
                // Once unclear, a refusal of the repetition does not make the first try undone.
                if late == NotInserted::Unknown {
                    answer_all(calls, late);
                    return Ok(());
                }
                return Err(calls);
            }
            After::AgainUnclear => late = NotInserted::Unknown,
            After::Again => {}
        }
        tracing::warn!(%error, orders = calls.len(), "an insert is begun again");
        metrics::insert_repeated();
        sleep(back_off).await;
        back_off = (back_off * 2).min(BACK_OFF_MAX);
        calls = begin(calls, late);
    }
    Ok(())
}

/// What an error of the statement leaves to do.
#[derive(Debug, PartialEq, Eq)]
enum After {
    Refused,
    /// Nothing was stored; the database may do better next time.
    Again,
    /// It may have been stored.
    AgainUnclear,
}

fn after(error: &StoreError) -> After {
    match error {
        // No connection was free: the statement was never sent.
        StoreError::Database(sqlx::Error::PoolTimedOut) => After::Again,
        StoreError::Database(error) if sql::is_unclear(error) => After::AgainUnclear,
        StoreError::Database(error) if sql::is_retryable(error) => After::Again,
        StoreError::Database(_) => After::Refused,
        // The insert went through, and reading back met a row that this version cannot read.
        StoreError::Corrupt { .. } => After::AgainUnclear,
    }
}
