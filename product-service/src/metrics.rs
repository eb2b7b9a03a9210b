//! The names of this service's metrics, and one function for each thing that is counted.

use std::time::Duration;

/// Requests to hold stock, by `path` (`gate`, `ledger`) and `outcome`.
const DECREMENTS_TOTAL: &str = "stock_decrements_total";
/// Time of one ledger transaction from its first statement to its answer, tries included.
const COMMIT_SECONDS: &str = "ledger_commit_seconds";
/// Ledger transactions that had to be tried again.
const COMMIT_RETRIES_TOTAL: &str = "ledger_commit_retries_total";
/// Batches of the gate that were voided.
const VOIDED_TOTAL: &str = "gate_batches_voided_total";
/// Gates that were raised.
const RAISED_TOTAL: &str = "gate_raised_total";
/// What the gates admit beyond what the ledger has, summed over deals. Label `sign`: `high` or `low`.
const DRIFT_UNITS: &str = "gate_drift_units";
/// Holds neither sold nor released.
const OPEN_HOLDS: &str = "open_holds";
/// Holds released because nobody ended them in time.
const EXPIRED_TOTAL: &str = "holds_expired_total";
/// Deals that run or are paused.
const OPEN_DEALS: &str = "open_deals";

pub(crate) fn decremented(path: &'static str, outcome: &'static str) {
    metrics::counter!(DECREMENTS_TOTAL, "path" => path, "outcome" => outcome).increment(1);
}

pub(crate) fn committed(elapsed: Duration) {
    metrics::histogram!(COMMIT_SECONDS).record(elapsed.as_secs_f64());
}

pub(crate) fn commit_retried() {
    metrics::counter!(COMMIT_RETRIES_TOTAL).increment(1);
}

pub(crate) fn voided() {
    metrics::counter!(VOIDED_TOTAL).increment(1);
}

pub(crate) fn raised() {
    metrics::counter!(RAISED_TOTAL).increment(1);
}

pub(crate) fn expired(holds: u64) {
    metrics::counter!(EXPIRED_TOTAL).increment(holds);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn drift(high: i64, low: i64) {
    metrics::gauge!(DRIFT_UNITS, "sign" => "high").set(high as f64);
    metrics::gauge!(DRIFT_UNITS, "sign" => "low").set(low as f64);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn open_holds(holds: i64) {
    metrics::gauge!(OPEN_HOLDS).set(holds as f64);
}

#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn open_deals(deals: usize) {
    metrics::gauge!(OPEN_DEALS).set(deals as f64);
}
