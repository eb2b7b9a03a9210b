//! The names of this crate's metrics, and one function for each thing that is counted.

use std::time::Duration;

/// Requests in one batch. Label `queue`.
const BATCH_LEN: &str = "batch_len";
/// How long a request waited before its batch began, in seconds. Label `queue`.
const BATCH_WAIT_SECONDS: &str = "batch_wait_seconds";
/// Requests refused because the queue or their key's share of it was full. Label `queue`.
const BATCH_REFUSED_TOTAL: &str = "batch_refused_total";

pub(crate) fn batch_taken(queue: &'static str, weight: usize) {
    let weight = u32::try_from(weight).unwrap_or(u32::MAX);
    metrics::histogram!(BATCH_LEN, "queue" => queue).record(f64::from(weight));
}

pub(crate) fn batch_waited(queue: &'static str, waited: Duration) {
    metrics::histogram!(BATCH_WAIT_SECONDS, "queue" => queue).record(waited.as_secs_f64());
}

pub(crate) fn batch_refused(queue: &'static str) {
    metrics::counter!(BATCH_REFUSED_TOTAL, "queue" => queue).increment(1);
}
