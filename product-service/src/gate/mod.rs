//! The gate: deals' stock in Redis, which admits requests before the ledger decides them.
//!
//! The gate knows deals by product and number, and decides nothing for good: what it admits, the
//! ledger may still refuse, and all it keeps may vanish at any time.
//!
//! - [`Gate`] is the handle; every operation stands in the file of its script: `admit` on one
//!   multiplexed connection, `load`, `settle`, `void`, `drop`, `raise` through the pool. `wipe` takes
//!   away whatever stands in a gate's place.
//! - `stale` lists the batches whose process seems to have died.
//! - `scripts` runs the Lua of `lua/`, `keys` names the Redis keys, [`reply`] mirrors the reply codes.
//! - `hot` keeps the multiplexed connection, `breaker` whether Redis counts as up, `done` the batches
//!   that Redis has still to be told of, `probe` brings a lost Redis back.
//! - `error` says what a failure means, `metrics` names what is measured.

mod admit;
mod breaker;
mod done;
mod drop;
mod error;
mod hot;
mod keys;
mod load;
mod metrics;
mod probe;
mod raise;
pub mod reply;
mod scripts;
mod settle;
mod stale;
mod void;
mod wipe;

use std::{fmt, sync::Arc, time::Duration};

use domain::{BatchId, OrderId, ProductId};
use redis::{AsyncConnectionConfig, Client, TlsCertificates};

pub use self::{
    admit::{Admission, Admitted, Verdict},
    drop::Dropped,
    error::GateError,
    load::{GateLoad, Loaded},
    raise::{Raise, Raised},
    settle::{STALE_AFTER, Settled},
    stale::StaleBatch,
};
use self::{breaker::Breaker, done::Done, hot::Hot, scripts::Pool};

/// Where Redis is and how long to wait for it.
#[derive(Clone)]
pub struct GateOptions {
    /// `redis://[:password@]host:port/db`, `rediss://…` over TLS, or `redis+unix:///path`.
    pub url: String,
    /// The authority to trust over TLS, in PEM; `None`: those that the machine trusts.
    pub ca_pem: Option<Vec<u8>>,
    /// How long an answer of Redis, or a new connection, may take before its outcome counts as
    /// unclear; default 250 ms.
    pub response_timeout: Duration,
    /// The most connections in the pool, which carries everything but admissions; default 4.
    pub pool_size: usize,
}

impl GateOptions {
    /// The defaults, for the Redis at `url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            ca_pem: None,
            response_timeout: Duration::from_millis(250),
            pool_size: 4,
        }
    }
}

// The URL may hold a password.
impl fmt::Debug for GateOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GateOptions")
            .field("response_timeout", &self.response_timeout)
            .field("pool_size", &self.pool_size)
            .finish_non_exhaustive()
    }
}

/// A handle to the gates of all deals; clones share connections and what they know of Redis.
#[derive(Clone)]
pub struct Gate(Arc<Inner>);

struct Inner {
    hot: Hot,
    pool: Pool,
    breaker: Breaker,
    done: Done,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("is_up", &self.is_up())
            .finish_non_exhaustive()
    }
}

/// What makes connections; it makes none yet.
fn client(options: &GateOptions) -> Result<Client, GateError> {
    let client = match &options.ca_pem {
        None => Client::open(options.url.as_str()),
        Some(ca_pem) => Client::build_with_tls(
            options.url.as_str(),
            TlsCertificates {
                client_tls: None,
                root_cert: Some(ca_pem.clone()),
            },
        ),
    };
    // The error is not repeated: its text may hold the password.
    client.map_err(|_| GateError::Protocol("the URL of Redis cannot be understood".into()))
}

impl Gate {
    /// Connects to Redis. One that cannot be reached leaves the gate down until [`Gate::probe`], which
    /// the caller spawns, reaches it.
    ///
    /// # Errors
    /// [`GateError::Protocol`] when the URL cannot be understood.
    pub async fn connect(options: GateOptions) -> Result<Self, GateError> {
        let timeout = Some(options.response_timeout);
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(timeout)
            .set_response_timeout(timeout);
        let client = client(&options)?;
        let gate = Self(Arc::new(Inner {
            pool: scripts::pool(&options, &client, config.clone())?,
            hot: Hot::new(client, config),
            breaker: Breaker::down(),
            done: Done::default(),
        }));
        // Said once, since it may not pass by itself: a certificate that is not trusted, a wrong password.
        if let Err(error) = gate.check().await {
            tracing::warn!(%error, "redis does not answer: hot deals are sold from the database alone until it does");
        }
        Ok(gate)
    }

    /// Whether Redis counts as reachable: from a failure until the next good probe it does not, and
    /// every call answers [`GateError::Down`] without a round trip.
    pub fn is_up(&self) -> bool {
        self.0.breaker.is_up()
    }

    /// Remembers that a batch needs no place in the in-flight list any more, and `not_taken`, those of
    /// its orders that the ledger did not take: their admissions go, unless a later batch has passed
    /// them since. Redis is told with the next [`Gate::admit`] or [`Gate::settle`] of the product.
    /// Should that be forgotten, the batch is found stale and looked up in the ledger, and the
    /// admissions stay until the deal ends: harmless.
    pub fn done(&self, product: ProductId, batch: BatchId, not_taken: &[OrderId]) {
        self.0.done.remember(product, batch, not_taken);
    }
}
