//! What a shop is made of.

use test_kit::Profile;

/// How a Postgres of 2 cores and a few GB is set up for the shop; `docs/performance.md` says what each gives. All
/// keep what was committed: `fsync` and `synchronous_commit` stay on.
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
    /// How the services are compiled.
    pub profile: Profile,
    /// More environment variables, for both services.
    pub env: Vec<(&'static str, String)>,
    /// More for product-service; they win.
    pub product_env: Vec<(&'static str, String)>,
    /// More for order-service; they win.
    pub order_env: Vec<(&'static str, String)>,
}

impl Default for ShopOptions {
    fn default() -> Self {
        Self {
            replicas: 1,
            has_gate: true,
            has_gateway: false,
            is_durable: false,
            postgres_settings: Vec::new(),
            profile: Profile::Own,
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
