//! How often a second a disk makes a small write durable.

use std::{
    fs::{self, File},
    io::{Seek as _, SeekFrom, Write as _},
    path::Path,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// As long as a page of a write-ahead log.
const WRITE_LEN: usize = 8 * 1024;
const MEASURED_FOR: Duration = Duration::from_secs(1);
/// A disk that is this slow is measured all the same.
const WRITES_MIN: usize = 5;

/// Writes of 8 KiB, each followed by `fdatasync`, one after the other, for a second.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct DiskSync {
    /// How many a second.
    pub per_second: f64,
    /// The median, in milliseconds.
    pub p50_ms: f64,
    /// 99 of 100 took no longer, in milliseconds.
    pub p99_ms: f64,
}

/// Measures the disk of `directory`.
///
/// # Panics
/// When a file there cannot be written.
pub(super) fn measure(directory: &Path) -> DiskSync {
    let path = directory.join("fdatasync");
    let mut file = File::create(&path).expect("a scratch directory is writable");
    let page = [7; WRITE_LEN];
    // The file gets its length first: a log is written over old segments, which need no new blocks.
    file.write_all(&page)
        .and_then(|()| file.sync_all())
        .expect("a page can be written");
    let (began, mut took) = (Instant::now(), Vec::new());
    while began.elapsed() < MEASURED_FOR || took.len() < WRITES_MIN {
        let one = Instant::now();
        file.seek(SeekFrom::Start(0))
            .expect("a file has a beginning");
        file.write_all(&page)
            .and_then(|()| file.sync_data())
            .expect("a page can be written");
        took.push(one.elapsed());
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "a second has fewer writes than that"
    )]
    let per_second = took.len() as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |share: usize| took[(took.len() - 1) * share / 100].as_secs_f64() * 1e3;
    let _ = fs::remove_file(path);
    DiskSync {
        per_second,
        p50_ms: at(50),
        p99_ms: at(99),
    }
}
