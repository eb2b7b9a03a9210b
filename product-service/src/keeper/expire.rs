//! Releases holds that nobody ended in time.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{
    ledger::command::{Command, Outcome},
    metrics,
    stock::Stock,
    store::Store,
};

/// How long after its deadline: order-service ends its own orders first, and its clock, its last
/// commit and ours may differ.
pub(crate) const GRACE: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(1);
/// Counting a million open holds takes the database a noticeable time.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// Holds released in one go; more are left for the next, at once.
const HOLDS_MAX: i64 = 256;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Runs until `stop`.
pub(crate) async fn run(store: Store, stock: Stock, grace: Duration, stop: CancellationToken) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        while release_some(&store, &stock, grace).await == HOLDS_MAX && !stop.is_cancelled() {}
    }
}

/// Counts open holds until `stop`.
pub(crate) async fn count(store: Store, stop: CancellationToken) {
    let mut ticks = interval(COUNT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        match store.open_holds().await {
            Ok(holds) => metrics::open_holds(holds),
            Err(error) => tracing::debug!(%error, "open holds are not counted"),
        }
    }
}

/// Answers how many were released.
async fn release_some(store: &Store, stock: &Stock, grace: Duration) -> i64 {
    let overdue = match store.overdue_holds(grace, HOLDS_MAX).await {
        Ok(overdue) => overdue,
        Err(error) => {
            tracing::warn!(%error, "overdue holds cannot be read");
            return 0;
        }
    };
    let deadline = Instant::now() + ANSWER_WITHIN;
    let expire = |order_id| stock.ask_ledger(Command::Expire { order_id, grace }, Some(deadline));
    let outcomes = join_all(overdue.into_iter().map(expire)).await;
    let released = |outcome: &Result<Outcome, _>| matches!(outcome, Ok(Outcome::Released { .. }));
    let released = outcomes.iter().filter(|outcome| released(outcome)).count();
    if released > 0 {
        tracing::info!(holds = released, "released holds that nobody ended in time");
        metrics::expired(released as u64);
    }
    i64::try_from(released).unwrap_or(0)
}
