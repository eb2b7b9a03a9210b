//! Releases holds that nobody ended in time.

use std::time::Duration;

use domain::OrderId;
use futures::future::join_all;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    ledger::{
        command::{Command, Outcome},
        hold::HoldEnd,
    },
    metrics,
    stock::Stock,
    store::Store,
};

/// How long after its deadline: order-service ends its own orders first, and its clock, its last
/// commit and ours may differ.
pub(crate) const GRACE: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(1);
/// Counting a million open holds takes the database a noticeable time: it is let alone for at least this long,
/// and for this many times as long as it took.
const COUNT_PAUSE_MIN: Duration = Duration::from_secs(5);
const COUNT_PAUSE_FACTOR: u32 = 20;
/// Holds released in one go; more are left for the next, at once.
const HOLDS_MAX: i64 = 256;
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Runs until `stop`.
pub(crate) async fn run(store: Store, stock: Stock, grace: Duration, stop: CancellationToken) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        release_all(&store, &stock, grace, &stop).await;
    }
}

/// Counts open holds until `stop`.
pub(crate) async fn count(store: Store, stop: CancellationToken) {
    let mut pause = Duration::ZERO;
    while stop.run_until_cancelled(sleep(pause)).await.is_some() {
        let begun_at = Instant::now();
        match store.open_holds().await {
            Ok(holds) => metrics::open_holds(holds),
            Err(error) => tracing::debug!(%error, "open holds are not counted"),
        }
        pause = COUNT_PAUSE_MIN.max(begun_at.elapsed() * COUNT_PAUSE_FACTOR);
    }
}

/// A hold that cannot be released, its row falsified, must not stand in the way of those behind it.
async fn release_all(store: &Store, stock: &Stock, grace: Duration, stop: &CancellationToken) {
    let mut stuck = 0;
    while !stop.is_cancelled() {
        let overdue = match store.overdue_holds(grace, stuck, HOLDS_MAX).await {
            Ok(overdue) => overdue,
            Err(error) => {
                tracing::warn!(%error, "overdue holds cannot be read");
                return;
            }
        };
        let found = overdue.len();
        stuck += i64::try_from(found - release(stock, overdue, grace).await).unwrap_or(0);
        if found < usize::try_from(HOLDS_MAX).unwrap_or(usize::MAX) {
            return;
        }
    }
}

/// Answers how many were released.
async fn release(stock: &Stock, overdue: Vec<OrderId>, grace: Duration) -> usize {
    let deadline = Instant::now() + ANSWER_WITHIN;
    let expire = |order_id| stock.ask_ledger(Command::Expire { order_id, grace }, Some(deadline));
    let outcomes = join_all(overdue.into_iter().map(expire)).await;
    let released = |outcome: &Result<Outcome, _>| {
        matches!(outcome, Ok(Outcome::Ended(HoldEnd::Released { .. })))
    };
    let released = outcomes.iter().filter(|outcome| released(outcome)).count();
    if released > 0 {
        tracing::info!(holds = released, "released holds that nobody ended in time");
        metrics::expired(released as u64);
    }
    released
}
