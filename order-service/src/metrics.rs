//! Every metric of this service.

use std::time::Duration;

use domain::ErrorCode;
use metrics::{
    Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, gauge,
    histogram,
};

use crate::{order::Order, stock::StockError};

const PLACED: &str = "orders_placed_total";
const FROM_MEMORY: &str = "orders_refused_from_memory_total";
const ENDED: &str = "orders_ended_total";
const PENDING: &str = "orders_pending";
const OVERDUE: &str = "orders_overdue_seconds";
const CANCELLING: &str = "orders_cancelling";
const STOCK_CALL: &str = "order_stock_call_duration_seconds";
const INSERT: &str = "order_insert_duration_seconds";
const INSERT_REPEATED: &str = "order_insert_repeated_total";
const WATCHING: &str = "order_streams";
const DELETED: &str = "retention_deleted_total";
const RELEASE_QUEUE: &str = "order_release_queue_len";
const RELEASE_DROPPED: &str = "order_releases_dropped_total";

/// Tells the recorder what each metric means; once, after it is installed.
pub(crate) fn describe() {
    describe_counter!(PLACED, "POST /orders by outcome");
    describe_counter!(
        FROM_MEMORY,
        "Orders refused without a call: product-service said a moment ago that nothing is left"
    );
    describe_counter!(
        ENDED,
        "Orders that reached a final state, by status and reason"
    );
    describe_gauge!(
        PENDING,
        "Orders that are pending now, in the whole database"
    );
    describe_gauge!(OVERDUE, "How long the longest overdue order has been due");
    describe_gauge!(
        CANCELLING,
        "Confirmed orders whose units are on their way back, in the whole database"
    );
    describe_histogram!(
        STOCK_CALL,
        "Tries of calls to product-service, by method and outcome"
    );
    describe_histogram!(INSERT, "Insert statements with their commit");
    describe_counter!(
        INSERT_REPEATED,
        "Insert statements begun again after an unclear outcome"
    );
    describe_gauge!(WATCHING, "Streams of order events that are open");
    describe_counter!(
        DELETED,
        "Rows deleted because they were kept long enough, by table"
    );
    describe_gauge!(
        RELEASE_QUEUE,
        "Holds without an order that wait for their release"
    );
    describe_counter!(
        RELEASE_DROPPED,
        "Holds left to product-service's own release"
    );
}

/// What becomes of `POST /orders`. The handles of what happens to nearly every request are taken once, since a
/// sale passes here; what is seldom is looked up as it comes.
#[derive(Debug)]
pub(crate) struct PlaceMetrics {
    accepted: Counter,
    out_of_stock: Counter,
    from_memory: Counter,
}

impl PlaceMetrics {
    /// From the recorder that is installed by now.
    pub(crate) fn new() -> Self {
        Self {
            accepted: counter!(PLACED, "outcome" => "accepted"),
            out_of_stock: counter!(PLACED, "outcome" => ErrorCode::OutOfStock.as_str()),
            from_memory: counter!(FROM_MEMORY),
        }
    }

    /// It ended with `outcome`: `accepted`, `replayed` or an error code.
    pub(crate) fn placed(&self, outcome: &'static str) {
        match outcome {
            "accepted" => self.accepted.increment(1),
            "OUT_OF_STOCK" => self.out_of_stock.increment(1),
            outcome => counter!(PLACED, "outcome" => outcome).increment(1),
        }
    }

    /// It was refused as sold out without asking product-service.
    pub(crate) fn refused_from_memory(&self) {
        self.from_memory.increment(1);
        self.out_of_stock.increment(1);
    }
}

/// An order reached a final state.
pub(crate) fn ended(order: &Order) {
    let status = order.state.status().as_str();
    let reason = order.state.reason().map(ToString::to_string);
    counter!(ENDED, "status" => status, "reason" => reason.unwrap_or_default()).increment(1);
}

/// What is pending in the whole database.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn pending(count: i64, overdue: Duration) {
    gauge!(PENDING).set(count as f64);
    gauge!(OVERDUE).set(overdue.as_secs_f64());
}

/// Sales that are being cancelled in the whole database.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn cancelling(count: i64) {
    gauge!(CANCELLING).set(count as f64);
}

/// Tries of calls to product-service; see [`PlaceMetrics`] for the handles.
#[derive(Debug)]
pub(crate) struct StockMetrics {
    held: Histogram,
    out_of_stock: Histogram,
    confirmed: Histogram,
}

impl StockMetrics {
    /// From the recorder that is installed by now.
    pub(crate) fn new() -> Self {
        let out_of_stock = ErrorCode::OutOfStock.as_str();
        Self {
            held: histogram!(STOCK_CALL, "method" => "decrease", "outcome" => "ok"),
            out_of_stock: histogram!(STOCK_CALL, "method" => "decrease", "outcome" => out_of_stock),
            confirmed: histogram!(STOCK_CALL, "method" => "confirm", "outcome" => "ok"),
        }
    }

    /// One try.
    pub(crate) fn called(&self, method: &'static str, error: Option<&StockError>, took: Duration) {
        let (outcome, took) = (outcome(error), took.as_secs_f64());
        match (method, outcome) {
            ("decrease", "ok") => self.held.record(took),
            ("decrease", "OUT_OF_STOCK") => self.out_of_stock.record(took),
            ("confirm", "ok") => self.confirmed.record(took),
            (method, outcome) => {
                histogram!(STOCK_CALL, "method" => method, "outcome" => outcome).record(took);
            }
        }
    }
}

fn outcome(error: Option<&StockError>) -> &'static str {
    match error {
        None => "ok",
        Some(StockError::Refused(refusal)) => refusal.code.as_str(),
        Some(StockError::Busy { code, .. }) => code.as_str(),
        Some(StockError::Unclear(_)) => "unclear",
        Some(StockError::Broken(_)) => "broken",
    }
}

/// How long insert statements take; the handle is for whoever runs them.
pub(crate) fn inserts() -> Histogram {
    histogram!(INSERT)
}

/// An insert statement is begun again.
pub(crate) fn insert_repeated() {
    counter!(INSERT_REPEATED).increment(1);
}

/// Streams that begin, or end if negative.
pub(crate) fn watching(by: f64) {
    gauge!(WATCHING).increment(by);
}

/// Orders were deleted by retention.
pub(crate) fn deleted(count: u64) {
    counter!(DELETED, "table" => "orders").increment(count);
}

/// Holds that wait for their release.
#[expect(clippy::cast_precision_loss, reason = "a gauge is a float")]
pub(crate) fn release_queue(len: usize) {
    gauge!(RELEASE_QUEUE).set(len as f64);
}

/// A hold was left to product-service's own release.
pub(crate) fn release_dropped() {
    counter!(RELEASE_DROPPED).increment(1);
}
