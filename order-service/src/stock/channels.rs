//! The transports to product-service. Several per address, since one HTTP/2 connection is served by
//! one thread at either end; calls go round them, and round those that have just failed.

use std::{
    convert::Infallible,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http;
use product_api::product_service_client::ProductServiceClient;
use tokio::time::Instant;
use tonic::{
    codegen::StdError,
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tower::{Service, ServiceExt as _, util::BoxCloneSyncService};

/// Anything that answers gRPC requests: a connection, or product-service itself in the same process.
pub type Transport = BoxCloneSyncService<
    http::Request<tonic::body::Body>,
    http::Response<tonic::body::Body>,
    TransportError,
>;

/// A request that did not come through, or whose answer did not. A type of its own, since the compiler
/// loses the lifetime of a plain box.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TransportError(#[source] pub StdError);

/// How long a transport is passed over after a failure.
const REST: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(2);

/// `per_address` lazy connections to each address, neighbours at different addresses so that a retry
/// goes elsewhere. An `https://` one must show a certificate of the authority in `ca_pem`, or if there is
/// none, of one that this machine trusts.
///
/// # Errors
/// When a text is no URL, or there is nobody to trust.
pub fn connect(
    addresses: &[String],
    per_address: usize,
    ca_pem: Option<&[u8]>,
) -> Result<Vec<Transport>, tonic::transport::Error> {
    let mut transports = Vec::with_capacity(addresses.len() * per_address);
    for _ in 0..per_address {
        for address in addresses {
            transports.push(erase(endpoint(address, ca_pem)?.connect_lazy()));
        }
    }
    Ok(transports)
}

/// product-service's generated server in this very process as a transport.
pub fn in_process<S>(service: S) -> Transport
where
    S: Service<
            http::Request<tonic::body::Body>,
            Response = http::Response<tonic::body::Body>,
            Error = Infallible,
            Future: Send,
        > + Clone
        + Send
        + Sync
        + 'static,
{
    BoxCloneSyncService::new(service.map_err(|never| match never {}))
}

fn endpoint(address: &str, ca_pem: Option<&[u8]>) -> Result<Endpoint, tonic::transport::Error> {
    let mut endpoint = Endpoint::from_shared(address.to_owned())?;
    if address.starts_with("https://") {
        endpoint = endpoint.tls_config(trust(ca_pem))?;
    }
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
        .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
        .keep_alive_while_idle(true))
}

fn trust(ca_pem: Option<&[u8]>) -> ClientTlsConfig {
    let tls = ClientTlsConfig::new().timeout(CONNECT_TIMEOUT);
    match ca_pem {
        Some(ca_pem) => tls.ca_certificate(Certificate::from_pem(ca_pem)),
        None => tls.with_native_roots(),
    }
}

fn erase(channel: Channel) -> Transport {
    BoxCloneSyncService::new(channel.map_err(|error| TransportError(error.into())))
}

/// The transports and whose turn it is.
#[derive(Debug)]
pub struct Channels {
    slots: Vec<Slot>,
    turn: AtomicUsize,
}

struct Slot {
    client: ProductServiceClient<Transport>,
    rests_until: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

impl Slot {
    fn rests(&self, now: Instant) -> bool {
        let until = self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| now < until)
    }

    fn set_rest(&self, until: Option<Instant>) {
        let mut slot = self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *slot = until;
    }
}

impl Channels {
    /// Over at least one transport; with none, every call fails.
    pub fn new(transports: Vec<Transport>) -> Self {
        let slot = |transport| Slot {
            client: ProductServiceClient::new(transport),
            rests_until: Mutex::new(None),
        };
        Self {
            slots: transports.into_iter().map(slot).collect(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The next transport that does not rest, or simply the next when all do; `None` if there are none.
    pub fn pick(&self, now: Instant) -> Option<Picked<'_>> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.slots.len();
        let next = (0..count).map(|step| &self.slots[(first.wrapping_add(step)) % count]);
        let slot = next.clone().find(|slot| !slot.rests(now));
        slot.or_else(|| next.clone().next()).map(Picked)
    }
}

/// A transport picked for one call.
#[derive(Debug)]
pub struct Picked<'a>(&'a Slot);

impl Picked<'_> {
    /// A client over it.
    pub fn client(&self) -> ProductServiceClient<Transport> {
        self.0.client.clone()
    }

    /// Lets others go first for a while.
    pub fn failed(&self, now: Instant) {
        self.0.set_rest(Some(now + REST));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Channels {
        let addresses: Vec<String> = (1..=3).map(|n| format!("http://127.0.0.1:{n}")).collect();
        Channels::new(connect(&addresses, 1, None).unwrap())
    }

    fn number(channels: &Channels, picked: &Picked<'_>) -> usize {
        let is_it = |slot: &Slot| std::ptr::eq(slot, picked.0);
        channels.slots.iter().position(is_it).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_go_round_the_channels() {
        let channels = three();
        let now = Instant::now();
        let order: Vec<usize> = (0..6)
            .map(|_| number(&channels, &channels.pick(now).unwrap()))
            .collect();
        assert_eq!(order, [0, 1, 2, 0, 1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_channel_that_failed_is_passed_over_for_a_while() {
        let channels = three();
        let now = Instant::now();
        channels.pick(now).unwrap().failed(now);
        for _ in 0..6 {
            assert_ne!(number(&channels, &channels.pick(now).unwrap()), 0);
        }
        let later = now + REST;
        let seen = |_| number(&channels, &channels.pick(later).unwrap());
        assert!((0..3).map(seen).any(|number| number == 0));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_channels_failed_calls_go_on() {
        let channels = three();
        let now = Instant::now();
        for _ in 0..3 {
            channels.pick(now).unwrap().failed(now);
        }
        assert!(channels.pick(now).is_some());
        assert!(Channels::new(Vec::new()).pick(now).is_none());
    }
}
