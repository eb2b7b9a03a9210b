//! The schedule: deals open and end at their time, by the database's clock, through whichever replica is
//! first. What is done twice changes nothing.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    deals::Deals,
    stock::StockError,
    store::{Store, schedule::DueDeal},
};

/// The longest time until the next look: another replica may have planned something sooner, and a deal
/// that waits for another to end is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A timer may fire a little early; a deal is not due before its time.
const MARGIN: Duration = Duration::from_millis(1);
/// Deals opened or ended at once; they share the ledger's transactions.
const AT_ONCE: usize = 64;

/// Runs until `stop`.
pub(crate) async fn run(store: Store, deals: Deals, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let pause = match store.due_deals(LOOK_EVERY).await {
            Ok(known) => {
                let (due, later): (Vec<DueDeal>, Vec<DueDeal>) =
                    known.into_iter().partition(|deal| deal.due_at <= deal.now);
                work_off(&deals, &due).await;
                later.first().map_or(LOOK_EVERY, until)
            }
            Err(error) => {
                tracing::warn!(%error, "the schedule cannot be read");
                LOOK_EVERY
            }
        };
        let waiting = timeout(pause.min(LOOK_EVERY), deals.news());
        _ = stop.run_until_cancelled(waiting).await;
    }
}

fn until(deal: &DueDeal) -> Duration {
    let micros = deal.due_at.as_micros() - deal.now.as_micros();
    Duration::from_micros(micros.max(0).unsigned_abs()) + MARGIN
}

/// What ends goes first: the next deal of its product may wait for that.
async fn work_off(deals: &Deals, due: &[DueDeal]) {
    for is_to_open in [false, true] {
        let next = due.iter().filter(|deal| deal.is_to_open == is_to_open);
        stream::iter(next)
            .for_each_concurrent(AT_ONCE, |due| work_off_one(deals, due))
            .await;
    }
}

async fn work_off_one(deals: &Deals, due: &DueDeal) {
    let done = match due.is_to_open {
        true => deals.start_due(due.id).await.map(drop),
        false => deals.end_due(due.id).await,
    };
    match done {
        Ok(()) | Err(StockError::NotFound) => {}
        Err(error) => {
            tracing::warn!(%error, deal.id = %due.id, "a deal that is due is tried again");
        }
    }
}
