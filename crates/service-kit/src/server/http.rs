//! The HTTP server.

use std::{io, sync::Arc, time::Duration};

use axum::{Extension, Router, extract::DefaultBodyLimit};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceBuilder;

use super::{Port, draining::Draining, files, guard::GuardLayer, stream::Stream};
use crate::{config::Common, metrics as names, trace::TraceLayer};

/// How long a client may take to send a request's head, its TLS handshake before the first one included.
/// It also bounds how long an idle connection is kept.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest request head, in bytes; longer ones are answered 431.
const HEAD_LEN_MAX: usize = 32 * 1024;

/// What one HTTP server takes upon itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpLimits {
    /// How long a client may take to send a request's head (a TLS handshake included), and how long an idle
    /// connection is kept.
    pub header_timeout: Duration,
    /// The longest request body, in bytes; longer ones are answered 413.
    pub body_len_max: usize,
    /// Connections served at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// Requests worked on at once; further ones are answered 503 `OVERLOADED`.
    pub in_flight_max: usize,
    /// How long a request may take, its body included, until it is answered 503 `UNAVAILABLE`.
    pub request_timeout: Duration,
    /// How long requests in flight may take to end after a stop.
    pub drain_timeout: Duration,
}

impl From<&Common> for HttpLimits {
    fn from(common: &Common) -> Self {
        Self {
            header_timeout: HEADER_TIMEOUT,
            body_len_max: common.http_body_len_max,
            connections_max: common.http_connections_max,
            in_flight_max: common.http_in_flight_max,
            request_timeout: common.request_timeout,
            drain_timeout: common.drain_timeout,
        }
    }
}

/// Serves `router` until `stop`: then no connection is accepted any more, requests in flight end, and
/// what has not ended after the drain timeout is cut off.
///
/// # Errors
/// None at present; failed accepts are logged and tried again.
pub async fn serve_http(
    port: impl Into<Port>,
    router: Router,
    limits: HttpLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    let port = port.into();
    // One layer of all, since a router boxes the work of each: the outermost comes first. What answers pages
    // of other origins is outside the guard: they must be able to read its refusals too.
    let layers = ServiceBuilder::new()
        .layer(TraceLayer)
        .option_layer(port.cors.clone())
        .layer(Extension(Draining::at(stop.clone())))
        .layer(DefaultBodyLimit::max(limits.body_len_max))
        .layer(GuardLayer::new(&limits));
    let server = Server {
        router: router.layer(layers),
        http: protocol(&limits),
        stop: stop.clone(),
        cut_off: CancellationToken::new(),
    };
    let connections = TaskTracker::new();
    let reserved = files::reserve(limits.connections_max);
    let accepting = accept(&server, port, reserved.connections_max, &connections);
    // The listener is dropped here, so that the kernel refuses whoever comes later.
    stop.run_until_cancelled(accepting).await;
    connections.close();
    let drained = tokio::time::timeout(limits.drain_timeout, connections.wait()).await;
    if drained.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "the drain took too long: cutting off"
        );
        server.cut_off.cancel();
        connections.wait().await;
    }
    Ok(())
}

/// What every connection gets a copy of.
#[derive(Clone)]
struct Server {
    router: Router,
    http: http1::Builder,
    stop: CancellationToken,
    cut_off: CancellationToken,
}

fn protocol(limits: &HttpLimits) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_timeout)
        .max_header_size(HEAD_LEN_MAX);
    http
}

/// Accepts for ever. Without a free slot it does not accept: whoever comes waits in the kernel's queue.
async fn accept(server: &Server, port: Port, connections_max: usize, connections: &TaskTracker) {
    let slots = Arc::new(Semaphore::new(connections_max));
    while let Ok(slot) = slots.clone().acquire_owned().await {
        let stream = port.accept().await;
        connections.spawn(server.clone().serve(stream, slot));
    }
}

impl Server {
    async fn serve(self, stream: Stream, slot: OwnedSemaphorePermit) {
        let _open = Open::new(slot);
        let service = TowerToHyperService::new(self.router);
        let mut connection =
            std::pin::pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = self.stop.cancelled() => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = self.cut_off.cancelled() => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Holds a connection's slot and counts it in the gauge while it is open.
struct Open {
    _slot: OwnedSemaphorePermit,
}

impl Open {
    fn new(slot: OwnedSemaphorePermit) -> Self {
        metrics::gauge!(names::HTTP_CONNECTIONS).increment(1);
        Self { _slot: slot }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        metrics::gauge!(names::HTTP_CONNECTIONS).decrement(1);
    }
}
