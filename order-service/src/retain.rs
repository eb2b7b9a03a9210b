//! Deletes what has ended long ago. Every replica runs this, in small steps that leave the database to
//! those who buy; none deletes what another is just deleting.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{metrics, store::Store};

const STEP_LEN: i64 = 200;
const PAUSE: Duration = Duration::from_millis(200);
const INTERVAL: Duration = Duration::from_secs(60);

/// Deletes orders that ended longer than `retention` ago, until `stop`; without a retention, none.
pub(crate) async fn run(store: Store, retention: Option<Duration>, stop: CancellationToken) {
    match retention {
        Some(retention) => {
            stop.run_until_cancelled(delete(&store, retention)).await;
        }
        None => stop.cancelled().await,
    }
}

async fn delete(store: &Store, retention: Duration) {
    loop {
        let pause = match store.delete_ended(retention, STEP_LEN).await {
            Ok(0) => INTERVAL,
            Ok(count) => {
                metrics::deleted(count);
                tracing::info!(count, "orders that ended long ago were deleted");
                PAUSE
            }
            Err(error) => {
                tracing::warn!(%error, "old orders could not be deleted");
                INTERVAL
            }
        };
        sleep(pause).await;
    }
}
