//! The names of this crate's metrics.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Requests answered, by `method`, `path` (the route, not the URL) and `status`.
pub const HTTP_REQUESTS_TOTAL: &str = "http_requests_total";
/// From the request's head to the answer's head, by `path`.
pub const HTTP_REQUEST_DURATION_SECONDS: &str = "http_request_duration_seconds";
/// Open HTTP connections.
pub const HTTP_CONNECTIONS: &str = "http_connections";
/// gRPC requests refused because as many as allowed were in flight.
pub const GRPC_REQUESTS_SHED_TOTAL: &str = "grpc_requests_shed_total";

/// Tells the installed recorder what each metric is.
pub(crate) fn describe() {
    describe_counter!(HTTP_REQUESTS_TOTAL, "HTTP requests answered");
    describe_histogram!(
        HTTP_REQUEST_DURATION_SECONDS,
        Unit::Seconds,
        "from the request's head to the answer's head"
    );
    describe_gauge!(HTTP_CONNECTIONS, "open HTTP connections");
    describe_counter!(
        GRPC_REQUESTS_SHED_TOTAL,
        "gRPC requests refused because too many were in flight"
    );
}
