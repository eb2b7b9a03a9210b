//! The names of this service's metrics, and one function for each thing that is counted.

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Requests to hold stock, by `path` (`gate`, `ledger`, `memory`) and `outcome`.
const DECREMENTS_TOTAL: &str = "stock_decrements_total";
/// Time of one ledger transaction from its first statement to its answer, tries included.
const COMMIT_SECONDS: &str = "ledger_commit_duration_seconds";
/// Ledger transactions that had to be tried again.
const COMMIT_RETRIES_TOTAL: &str = "ledger_commit_retries_total";
/// Transactions that were tried as one statement, by `path`: `taken`, `abandoned` for one of several statements
/// since something was not as remembered, or `lost` when the answer did not arrive.
const SALES_TOTAL: &str = "ledger_sales_total";
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
/// Rows deleted because they were kept long enough. Label `table`.
const DELETED_TOTAL: &str = "retention_deleted_total";
/// Scheduled deals by what became of them at their time: `started`, `ended`, or `missed` when another
/// deal was open until their window was over. Label `event`.
const SCHEDULE_TOTAL: &str = "deal_schedule_total";
/// Streams of `WatchDeal` that are open.
const DEAL_WATCHERS: &str = "deal_watchers";
/// Deals that run or are paused.
const OPEN_DEALS: &str = "open_deals";

/// Tells the recorder what each metric is; once, after it is installed.
pub(crate) fn describe() {
    describe_counter!(
        DECREMENTS_TOTAL,
        "requests to hold stock, by path and outcome"
    );
    describe_histogram!(
        COMMIT_SECONDS,
        Unit::Seconds,
        "one ledger transaction, tries included"
    );
    describe_counter!(COMMIT_RETRIES_TOTAL, "ledger transactions tried again");
    describe_counter!(
        SALES_TOTAL,
        "ledger transactions tried as one statement, by path"
    );
    describe_counter!(
        VOIDED_TOTAL,
        "batches that a dead process left between gate and ledger"
    );
    describe_counter!(RAISED_TOTAL, "gates that were too low and have been raised");
    describe_gauge!(
        DRIFT_UNITS,
        "what gates admit beyond what the ledger has (high), or short of it (low)"
    );
    describe_gauge!(OPEN_HOLDS, "holds neither sold nor released");
    describe_counter!(EXPIRED_TOTAL, "holds released because nobody ended them");
    describe_counter!(
        DELETED_TOTAL,
        "rows deleted because they were kept long enough, by table"
    );
    describe_counter!(
        SCHEDULE_TOTAL,
        "deals that started, ended or missed their time by themselves, by event"
    );
    describe_gauge!(DEAL_WATCHERS, "open streams that watch a deal");
    describe_gauge!(OPEN_DEALS, "deals that run or are paused");
}

pub(crate) fn decremented(path: &'static str, outcome: &'static str) {
    metrics::counter!(DECREMENTS_TOTAL, "path" => path, "outcome" => outcome).increment(1);
}

pub(crate) fn committed(elapsed: Duration) {
    metrics::histogram!(COMMIT_SECONDS).record(elapsed.as_secs_f64());
}

pub(crate) fn commit_retried() {
    metrics::counter!(COMMIT_RETRIES_TOTAL).increment(1);
}

pub(crate) fn sale(path: &'static str) {
    metrics::counter!(SALES_TOTAL, "path" => path).increment(1);
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

pub(crate) fn deleted(table: &'static str, rows: u64) {
    metrics::counter!(DELETED_TOTAL, "table" => table).increment(rows);
}

pub(crate) fn watchers_changed(by: f64) {
    metrics::gauge!(DEAL_WATCHERS).increment(by);
}

pub(crate) fn scheduled(event: &'static str) {
    metrics::counter!(SCHEDULE_TOTAL, "event" => event).increment(1);
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
