//! Ends the pending orders whose deadline has passed, and goes on with cancellations that somebody began
//! and did not end. Every replica runs this; leases keep them from doing the same work, and doing it
//! twice would change nothing.

use std::time::Duration;

use domain::OrderId;
use futures::{StreamExt as _, stream};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::{
    ending::{NotEnded, Orders},
    metrics,
    order::Command,
    store::StoreError,
};

const BATCH_LEN: i64 = 200;
const AT_ONCE_MAX: usize = 16;
const LEASE: Duration = Duration::from_secs(10);
/// An order is left to the next lease a little before its own runs out.
const WORK_TIME: Duration = Duration::from_secs(9);
const INTERVAL: Duration = Duration::from_millis(500);

/// Ends due orders until `stop`.
pub(crate) async fn run(orders: Orders, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let done = async {
            Ok::<_, StoreError>(
                expire_due(&orders, &stop).await? + resume_cancelling(&orders, &stop).await?,
            )
        };
        match done.await {
            // A full batch: there may be more.
            Ok(count) if count >= usize::try_from(BATCH_LEN).unwrap_or(usize::MAX) => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "due orders could not be read"),
        }
        tokio::select! {
            () = sleep(INTERVAL) => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Leases one batch of overdue orders and ends it; answers how many they were.
///
/// # Errors
/// When the database cannot be asked for due orders.
async fn expire_due(orders: &Orders, stop: &CancellationToken) -> Result<usize, StoreError> {
    let due = orders.store.lease_due(BATCH_LEN, LEASE).await?;
    Ok(end_all(orders, due, &Command::Expire, stop).await)
}

/// Leases one batch of sales that somebody began to cancel, and takes them back; answers how many.
///
/// # Errors
/// When the database cannot be asked for them.
async fn resume_cancelling(orders: &Orders, stop: &CancellationToken) -> Result<usize, StoreError> {
    let begun = orders.store.lease_cancelling(BATCH_LEN, LEASE).await?;
    Ok(end_all(orders, begun, &Command::Resume, stop).await)
}

async fn end_all(
    orders: &Orders,
    ids: Vec<OrderId>,
    command: &Command,
    stop: &CancellationToken,
) -> usize {
    let deadline = Instant::now() + WORK_TIME;
    let count = ids.len();
    if count > 0 {
        tracing::info!(
            orders = count,
            ?command,
            "going on with orders that are due"
        );
    }
    stream::iter(ids)
        .take_until(stop.cancelled())
        .for_each_concurrent(AT_ONCE_MAX, |id| end(orders, id, command, deadline))
        .await;
    count
}

async fn end(orders: &Orders, id: OrderId, command: &Command, deadline: Instant) {
    if let Err(error) = try_end(orders, id, command, deadline).await {
        tracing::warn!(order.id = %id, %error, "a due order is left for later");
    }
}

async fn try_end(
    orders: &Orders,
    id: OrderId,
    command: &Command,
    deadline: Instant,
) -> Result<(), NotEnded> {
    let read = orders.read(id, |_| true).await?;
    orders.drive(read, command, deadline).await?;
    Ok(())
}

/// Publishes how many orders are pending, how long overdue the first is, and how many sales are being
/// cancelled, until `stop`.
pub(crate) async fn observe(
    orders: Orders,
    clock: std::sync::Arc<dyn domain::Clock>,
    stop: CancellationToken,
) {
    const INTERVAL: Duration = Duration::from_secs(10);
    while !stop.is_cancelled() {
        if let Ok((count, first)) = orders.store.pending().await {
            let overdue = first.map_or(0, |first| clock.now().as_micros() - first.as_micros());
            let overdue = Duration::from_micros(u64::try_from(overdue).unwrap_or(0));
            metrics::pending(count, overdue);
        }
        if let Ok(count) = orders.store.cancelling().await {
            metrics::cancelling(count);
        }
        tokio::select! {
            () = sleep(INTERVAL) => {}
            () = stop.cancelled() => {}
        }
    }
}
