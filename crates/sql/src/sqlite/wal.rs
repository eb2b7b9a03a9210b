//! Keeps the write-ahead log short. SQLite copies it into the database by itself, but starts it anew only
//! at a moment when nobody reads from it, and under a crowd of readers that moment may not come.

use std::{fs, path::Path, time::Duration};

use sqlx::SqlitePool;
use tokio::time::{MissedTickBehavior, interval};

use super::file::beside;

/// After so many pages of the log, a commit copies them into the database: 16 MiB of 4 KiB pages. Hot rows
/// are copied once for all their changes, so that a longer log costs less per sale.
pub(super) const COPY_PAGES: &str = "4000";
/// What the log is cut to when it starts anew, bytes.
pub(super) const KEPT_LEN_MAX: &str = "33554432";
/// A log that has grown beyond this is made to start anew, bytes.
const LEN_MAX: u64 = 64 << 20;
const EVERY: Duration = Duration::from_secs(1);

/// Waits, for as long as the connection's busy timeout, until nobody reads from the log, while nobody
/// writes; then cuts it to nothing. Answers whether somebody was in the way.
const START_ANEW: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Watches the log of the file at `path` until the writer's pool is closed.
pub(super) async fn keep_short(path: &Path, writer: SqlitePool) {
    let log = beside(path, "-wal");
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !writer.is_closed() {
        every.tick().await;
        let len = fs::metadata(&log).map_or(0, |log| log.len());
        if len <= LEN_MAX {
            continue;
        }
        match sqlx::query_as(START_ANEW).fetch_one(&writer).await {
            Ok((0_i64, _, _)) => {}
            Ok::<(i64, i64, i64), _>(_) => {
                tracing::warn!(
                    len,
                    "the write-ahead log is long, and somebody reads from it"
                );
            }
            Err(error) => tracing::warn!(len, %error, "the write-ahead log could not be cut"),
        }
    }
}
