//! Deletes what nobody asks for any more, on any replica, a little at a time.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    metrics,
    store::{Store, retain::Old},
};

/// How long what is over is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Holds, from their end. As long as an ended hold is kept, its order id takes nothing again, and its sale
    /// can be taken back.
    pub holds: Duration,
    /// Ids of batches, from when they were recorded.
    pub batches: Duration,
}

impl Retention {
    /// The shortest for holds. An order may be sent again for as long as its hold may have lived, a day, and
    /// its tombstone must outlive every take that is still on its way; an hour on top is for the clocks.
    pub const HOLDS_MIN: Duration = Duration::from_secs(25 * 3_600);
    /// The shortest for batches, and why a forgotten one does no harm whenever it is asked for again.
    ///
    /// A transaction's own id is asked for only by the process that lost the answer to its commit, within
    /// seconds; the server has by then ended every transaction that stood still for one.
    ///
    /// A batch of the gate may come back much later: a process that was stopped between gate and ledger for
    /// longer than this wakes up and finds the void it should find gone; or Redis is restored from an old file
    /// with batches in flight that were taken long ago, and they are voided. Each time the batch counts as new:
    /// its requests are decided by the ledger under its locks like any other, and the gate is owed, or was
    /// owed before, units that it never lacked. So the gate is too high, which refusals bring down, and
    /// nothing is sold twice. Ten minutes leave every such error to accidents that last longer.
    pub const BATCHES_MIN: Duration = Duration::from_secs(600);

    /// Buyers are counted until the last hold of their deal may be deleted: one that was opened as the deal
    /// ended lives a day longer, and a sale that is taken back must find its buyer counted.
    fn buyers(self) -> Duration {
        self.holds + Self::HOLDS_MIN
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            holds: Duration::from_secs(7 * 86_400),
            batches: Duration::from_secs(86_400),
        }
    }
}

const EVERY: Duration = Duration::from_secs(60);
/// Rows deleted by one statement, and the pause before the next: sales go in between, and still more is
/// deleted in a second than is sold.
const ROWS_MAX: u64 = 500;
const PAUSE: Duration = Duration::from_millis(20);

/// Runs until `stop`.
pub(crate) async fn run(store: Store, retention: Retention, stop: CancellationToken) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        // Buyers after the holds that count on them.
        for (old, age) in [
            (Old::Holds, retention.holds),
            (Old::Buyers, retention.buyers()),
            (Old::Batches, retention.batches),
        ] {
            delete_all(&store, old, age, &stop).await;
        }
    }
}

async fn delete_all(store: &Store, old: Old, age: Duration, stop: &CancellationToken) {
    while !stop.is_cancelled() {
        match store.delete_old(old, age, ROWS_MAX.cast_signed()).await {
            Ok(rows) => {
                metrics::deleted(old.table(), rows);
                if rows < ROWS_MAX {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, table = old.table(), "old rows are not deleted");
                return;
            }
        }
        sleep(PAUSE).await;
    }
}
