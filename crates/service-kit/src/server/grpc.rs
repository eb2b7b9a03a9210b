//! The gRPC server.

use std::{io, time::Duration};

use tokio_util::sync::CancellationToken;
use tonic::transport::{Server, server::Router};
use tower::layer::util::{Identity, Stack};

use super::{Port, files, handshake::connections, shed::ShedLayer, undecoded::UndecodedLayer};
use crate::{config::Common, trace::TraceLayer};

/// How long a client may take to send the bytes that open a connection, those of TLS included.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections at once, unless the service has a setting for it.
pub const GRPC_CONNECTIONS_MAX: usize = 1024;

/// Requests that a client may give up, on one connection, before the server has looked at them. The
/// protocol's library closes the connection beyond 20, against clients that do nothing else; but a burst
/// of calls with short deadlines looks the same, and its end would fail the calls beside it too. What
/// waits is bounded by memory of a few hundred bytes each.
const ABANDONED_MAX: usize = 2048;

/// A server whose requests are traced and shed; `.add_service(…)` makes it a router.
pub type GrpcServer = Server<GrpcLayers>;

/// Such a server with its services.
pub type GrpcRouter = Router<GrpcLayers>;

/// What every gRPC request passes, the innermost first.
type GrpcLayers = Stack<UndecodedLayer, Stack<TraceLayer, Stack<ShedLayer, Identity>>>;

/// What one gRPC server takes upon itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcLimits {
    /// Connections at once; further ones wait to be accepted.
    pub connections_max: usize,
    /// How long a client may take to send the bytes that open a connection, those of TLS included.
    pub handshake_timeout: Duration,
    /// Requests at once on one connection; a client's further ones wait on its side.
    pub concurrent_streams_max: u32,
    /// Requests at once over all connections; further ones are answered `UNAVAILABLE`.
    pub in_flight_max: usize,
    /// How long a request may take until its answer begins; a caller's shorter deadline counts first.
    pub request_timeout: Duration,
    /// How long a connection may be silent before it is asked whether it lives.
    pub keepalive_interval: Duration,
    /// How long it may take to answer that before it is closed.
    pub keepalive_timeout: Duration,
    /// The longest list of request headers, in bytes.
    pub header_list_len_max: u32,
    /// How long requests in flight may take to end after a stop.
    pub drain_timeout: Duration,
}

impl From<&Common> for GrpcLimits {
    fn from(common: &Common) -> Self {
        Self {
            connections_max: GRPC_CONNECTIONS_MAX,
            handshake_timeout: HANDSHAKE_TIMEOUT,
            concurrent_streams_max: 1024,
            // Callers are few services that each send on behalf of many users.
            in_flight_max: common.http_in_flight_max.saturating_mul(4),
            request_timeout: common.request_timeout,
            keepalive_interval: Duration::from_secs(20),
            keepalive_timeout: Duration::from_secs(10),
            header_list_len_max: 16 * 1024,
            drain_timeout: common.drain_timeout,
        }
    }
}

/// A server with these limits, on which services are added.
pub fn builder(limits: &GrpcLimits) -> GrpcServer {
    Server::builder()
        .max_concurrent_streams(limits.concurrent_streams_max)
        .http2_keepalive_interval(Some(limits.keepalive_interval))
        .http2_keepalive_timeout(Some(limits.keepalive_timeout))
        .http2_max_pending_accept_reset_streams(Some(ABANDONED_MAX))
        .http2_max_header_list_size(limits.header_list_len_max)
        .timeout(limits.request_timeout)
        .layer(ShedLayer::new(limits.in_flight_max))
        .layer(TraceLayer)
        .layer(UndecodedLayer)
}

/// Serves until `stop`: then no connection is accepted any more, requests in flight end, and what has
/// not ended after the drain timeout is no longer waited for: it ends with the runtime.
///
/// # Errors
/// When the transport fails as a whole.
pub async fn serve_grpc(
    port: impl Into<Port>,
    router: GrpcRouter,
    limits: GrpcLimits,
    stop: CancellationToken,
) -> io::Result<()> {
    let reserved = files::reserve(limits.connections_max);
    let incoming = connections(
        port.into(),
        reserved.connections_max,
        limits.handshake_timeout,
    );
    let serving = router.serve_with_incoming_shutdown(incoming, stop.clone().cancelled_owned());
    let too_late = async {
        stop.cancelled().await;
        tokio::time::sleep(limits.drain_timeout).await;
    };
    tokio::select! {
        served = serving => served.map_err(io::Error::other),
        () = too_late => {
            tracing::warn!("the drain of gRPC took too long: not waiting any more");
            Ok(())
        }
    }
}
