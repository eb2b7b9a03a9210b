//! Findings of review A.

#![allow(clippy::unwrap_used, reason = "failing tests of a review")]

use std::sync::Mutex;

use service_kit::batcher::{Batcher, BatcherOptions};
use tokio_util::sync::CancellationToken;

/// The ledger's hot queue: lots that the gate admitted weigh up to a whole batch, confirms and
/// restores weigh 1. While full lots come, every second commit carries one single confirm.
#[tokio::test]
async fn light_items_are_not_committed_one_by_one_beside_heavy_ones() {
    let (batcher, worker) = Batcher::new(BatcherOptions {
        name: "test",
        batch_weight_max: 64,
        queue_weight_max: 10_000,
        key_weight_max: 10_000,
        concurrency: 1,
    });
    for confirm in 0..64 {
        batcher.push("endings", 1, confirm).unwrap();
    }
    for lot in 0..64 {
        batcher.push_reserved("admitted", 64, 1_000 + lot).unwrap();
    }
    let batches = Mutex::new(Vec::new());
    let stop = CancellationToken::new();
    stop.cancel();
    worker
        .run(
            async |batch: Vec<i32>| batches.lock().unwrap().push(batch),
            stop,
        )
        .await;
    let batches = batches.into_inner().unwrap();
    let endings_in_ten: usize = batches[..10]
        .iter()
        .flatten()
        .filter(|item| **item < 1_000)
        .count();
    assert!(
        endings_in_ten >= 64,
        "10 commits carried {endings_in_ten} of 64 waiting confirms; all took {} commits",
        batches.len()
    );
}
