//! The names of this crate's metrics, and one function for each thing that the batcher counts.

use std::time::Duration;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Requests answered, by `method`, `path` (the route, not the URL) and `status`.
pub const HTTP_REQUESTS_TOTAL: &str = "http_requests_total";
/// From the request's head to the answer's head, by `path`.
pub const HTTP_REQUEST_DURATION_SECONDS: &str = "http_request_duration_seconds";
/// Open HTTP connections.
pub const HTTP_CONNECTIONS: &str = "http_connections";
/// gRPC requests refused because as many as allowed were in flight.
pub const GRPC_REQUESTS_SHED_TOTAL: &str = "grpc_requests_shed_total";

/// Requests in one batch. Label `queue`.
pub const BATCH_LEN: &str = "batch_len";
/// How long a request waited before its batch began, in seconds. Label `queue`.
pub const BATCH_WAIT_SECONDS: &str = "batch_wait_seconds";
/// Requests refused because the queue or their key's share of it was full. Label `queue`.
pub const BATCH_REFUSED_TOTAL: &str = "batch_refused_total";

/// Tells the installed recorder what each metric is.
pub(crate) fn describe() {
    describe_counter!(HTTP_REQUESTS_TOTAL, "HTTP requests answered");
    describe_histogram!(
        HTTP_REQUEST_DURATION_SECONDS,
        Unit::Seconds,
        "from the request's head to the answer's head"
    );
    describe_histogram!(BATCH_LEN, "requests in one batch");
    describe_histogram!(
        BATCH_WAIT_SECONDS,
        Unit::Seconds,
        "how long a request waited before its batch began"
    );
    describe_counter!(
        BATCH_REFUSED_TOTAL,
        "requests refused because a queue was full"
    );
    describe_gauge!(HTTP_CONNECTIONS, "open HTTP connections");
    describe_counter!(
        GRPC_REQUESTS_SHED_TOTAL,
        "gRPC requests refused because too many were in flight"
    );
}

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
