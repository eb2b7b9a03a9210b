//! The names of this crate's metrics, and what the batcher counts.

use std::{
    collections::HashMap,
    fmt,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use http::StatusCode;
use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

/// Requests answered, by `method`, `path` (the route, not the URL) and `status`.
pub const HTTP_REQUESTS_TOTAL: &str = "http_requests_total";
/// From the request's head to the answer's head, by `path`.
pub const HTTP_REQUEST_DURATION_SECONDS: &str = "http_request_duration_seconds";
/// Open HTTP connections.
pub const HTTP_CONNECTIONS: &str = "http_connections";
/// TLS handshakes that a client began and that came to nothing, by `outcome`: `failed`, or `unfinished` when
/// its time was over or it hung up.
pub const TLS_HANDSHAKES_FAILED_TOTAL: &str = "tls_handshakes_failed_total";
/// gRPC requests refused because as many as allowed were in flight.
pub const GRPC_REQUESTS_SHED_TOTAL: &str = "grpc_requests_shed_total";

/// Requests in one batch. Label `queue`.
pub const BATCH_LEN: &str = "batch_len";
/// How long a request waited before its batch began, in seconds. Label `queue`.
pub const BATCH_WAIT_SECONDS: &str = "batch_wait_seconds";
/// Requests that wait now. Label `queue`.
pub const BATCH_QUEUED: &str = "batch_queued";
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
    describe_gauge!(BATCH_QUEUED, "requests that wait");
    describe_counter!(
        BATCH_REFUSED_TOTAL,
        "requests refused because a queue was full"
    );
    describe_gauge!(HTTP_CONNECTIONS, "open HTTP connections");
    describe_counter!(
        TLS_HANDSHAKES_FAILED_TOTAL,
        "TLS handshakes that came to nothing"
    );
    describe_counter!(
        GRPC_REQUESTS_SHED_TOTAL,
        "gRPC requests refused because too many were in flight"
    );
}

/// What HTTP servers count. The handles are kept by what was asked and how it was answered: routes, methods and
/// statuses are few, and looking a metric up by its labels costs more than counting.
#[derive(Default)]
pub(crate) struct HttpMetrics {
    seen: RwLock<HashMap<(&'static str, StatusCode), ByRoute>>,
}

type ByRoute = HashMap<String, HttpCounts>;

struct HttpCounts {
    total: Counter,
    seconds: Histogram,
}

impl fmt::Debug for HttpMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpMetrics").finish_non_exhaustive()
    }
}

impl HttpMetrics {
    /// A request for `route` was answered. The route, not the path: a label for every id ever asked for would
    /// fill the memory.
    pub(crate) fn answered(
        &self,
        method: &'static str,
        route: Option<&str>,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or("none");
        let count = |counts: &HttpCounts| {
            counts.total.increment(1);
            counts.seconds.record(took.as_secs_f64());
        };
        let seen = self.seen.read().unwrap_or_else(PoisonError::into_inner);
        let by_route = seen.get(&(method, status));
        if let Some(counts) = by_route.and_then(|counts| counts.get(route)) {
            return count(counts);
        }
        drop(seen);
        let counts = HttpCounts::new(method, route, status);
        count(&counts);
        let mut seen = self.seen.write().unwrap_or_else(PoisonError::into_inner);
        let by_route = seen.entry((method, status)).or_default();
        by_route.insert(route.to_owned(), counts);
    }
}

impl HttpCounts {
    fn new(method: &'static str, route: &str, status: StatusCode) -> Self {
        let (path, status) = (route.to_owned(), status.as_str().to_owned());
        Self {
            seconds: histogram!(HTTP_REQUEST_DURATION_SECONDS, "path" => path.clone()),
            total: counter!(
                HTTP_REQUESTS_TOTAL,
                "method" => method, "path" => path, "status" => status
            ),
        }
    }
}

/// What one queue counts; the handles are taken once, since a sale passes here for every request.
pub(crate) struct QueueMetrics {
    batch_len: Histogram,
    wait_seconds: Histogram,
    refused: Counter,
    queued: Gauge,
}

impl QueueMetrics {
    /// The handles of a queue, from the recorder that is installed by now.
    pub(crate) fn new(queue: &'static str) -> Self {
        Self {
            batch_len: histogram!(BATCH_LEN, "queue" => queue),
            wait_seconds: histogram!(BATCH_WAIT_SECONDS, "queue" => queue),
            refused: counter!(BATCH_REFUSED_TOTAL, "queue" => queue),
            queued: gauge!(BATCH_QUEUED, "queue" => queue),
        }
    }

    pub(crate) fn taken(&self, weight: usize) {
        self.batch_len.record(as_float(weight));
    }

    pub(crate) fn waited(&self, waited: Duration) {
        self.wait_seconds.record(waited.as_secs_f64());
    }

    pub(crate) fn refused(&self) {
        self.refused.increment(1);
    }

    pub(crate) fn queued(&self, weight: usize) {
        self.queued.set(as_float(weight));
    }
}

fn as_float(weight: usize) -> f64 {
    f64::from(u32::try_from(weight).unwrap_or(u32::MAX))
}
