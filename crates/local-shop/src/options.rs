//! What a shop is made of.

use std::{net::SocketAddr, path::PathBuf};

use test_kit::{Port, Profile};

/// How a Postgres of 2 cores and a few GB is set up for the shop. All keep what was committed: `fsync` and `synchronous_commit` stay on.
pub const POSTGRES_SETTINGS: &[&str] = &[
    // Holds, deals and orders of a sale stay in memory.
    "shared_buffers=256MB",
    // A checkpoint in the middle of a sale is what makes the slowest orders slow.
    "max_wal_size=4GB",
    "checkpoint_timeout=15min",
    "checkpoint_completion_target=0.9",
    "wal_buffers=16MB",
];

/// How many replicas of what.
#[derive(Debug, Clone)]
pub struct ShopOptions {
    /// Processes of each service, at least one.
    pub replicas: usize,
    /// Whether there is a Redis.
    pub has_gate: bool,
    /// Whether nginx, two workers of it, stands in front.
    pub has_gateway: bool,
    /// Whether Postgres is a server of this shop alone, with fsync on; else one that the whole process shares, which
    /// keeps nothing.
    pub is_durable: bool,
    /// Further settings of a server of its own, such as [`POSTGRES_SETTINGS`].
    pub postgres_settings: Vec<String>,
    /// Whether a Prometheus of this machine watches the services, if there is one.
    pub has_prometheus: bool,
    /// How the services are compiled.
    pub profile: Profile,
    /// Where data and logs stay when the shop ends; else nothing stays. It makes Postgres a server of its own.
    pub kept_in: Option<PathBuf>,
    /// Where things listen.
    pub addresses: Addresses,
    /// Whether the services also get the variables of this process, but for those that would lock its own calls out.
    pub is_environment_handed_on: bool,
    /// More environment variables, for both services.
    pub env: Vec<(&'static str, String)>,
    /// More for product-service; they win.
    pub product_env: Vec<(&'static str, String)>,
    /// More for order-service; they win.
    pub order_env: Vec<(&'static str, String)>,
}

/// Where things listen; what is not said is a free port on 127.0.0.1. Of several replicas it is the first one's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Addresses {
    /// order-service, for buyers.
    pub order_http: Option<SocketAddr>,
    /// Its health and metrics.
    pub order_ops: Option<SocketAddr>,
    /// product-service, for operators and readers.
    pub product_http: Option<SocketAddr>,
    /// Its gRPC.
    pub product_grpc: Option<SocketAddr>,
    /// Its health and metrics.
    pub product_ops: Option<SocketAddr>,
    /// The gateway.
    pub gateway: Option<SocketAddr>,
    /// Prometheus.
    pub prometheus: Option<SocketAddr>,
}

/// The address that was chosen, as long as it was not taken before, or a free one.
///
/// # Panics
/// When another program listens there.
pub(crate) fn port(chosen: &mut Option<SocketAddr>) -> Port {
    match chosen.take() {
        Some(address) => Port::at(address).unwrap_or_else(|error| panic!("{address}: {error}")),
        None => Port::free(),
    }
}

impl Default for ShopOptions {
    fn default() -> Self {
        Self {
            replicas: 1,
            has_gate: true,
            has_gateway: false,
            is_durable: false,
            postgres_settings: Vec::new(),
            has_prometheus: false,
            profile: Profile::Own,
            kept_in: None,
            addresses: Addresses::default(),
            is_environment_handed_on: false,
            env: Vec::new(),
            product_env: Vec::new(),
            order_env: Vec::new(),
        }
    }
}

impl ShopOptions {
    /// As it is measured: optimised binaries, a durable Postgres set up for it, a gate, one replica of each service.
    pub fn measured() -> Self {
        Self {
            is_durable: true,
            postgres_settings: POSTGRES_SETTINGS.iter().map(ToString::to_string).collect(),
            profile: Profile::Release,
            ..Self::default()
        }
    }
}
