//! product-service without its sockets: an all-in-one binary mounts the same.

use std::{sync::Arc, time::Duration};

use axum::Router;
use domain::{IdSource, SystemClock};
use futures::{FutureExt as _, future::join_all};
use product_api::product_service_server::ProductServiceServer;
use service_kit::{
    auth::Access,
    health::Health,
    server::{GrpcLimits, GrpcRouter, builder},
};
use sql::{Database, PoolOptions, SqlError};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::Catalog,
    config::Config,
    deals::watch::Watches,
    gate::{Gate, GateError, GateOptions},
    grpc::{self, ProductGrpc, health::Watch},
    http::{self, Shop},
    metrics,
    store::{MIGRATIONS, SCHEMA, Store},
    workers::{self, Retention, StockParts, Workers},
};

/// How long a database may take to come up before the service gives up.
const DATABASE_PATIENCE: Duration = Duration::from_secs(30);

/// Why the service does not start, or no longer runs.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A setting is wrong, or a port cannot be listened on; the words name the variable.
    #[error("{0}")]
    Setting(String),
    /// There is no usable database.
    #[error("DATABASE_URL: {0}")]
    Database(#[from] SqlError),
    /// The URL of Redis cannot be read.
    #[error("REDIS_URL: {0}")]
    Gate(#[from] GateError),
    /// The operating system has no randomness for us.
    #[error("no randomness for ids: {0}")]
    Randomness(#[from] getrandom::Error),
    /// The descriptors for gRPC reflection are broken.
    #[error("gRPC reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// A listener failed, or the workers ended by themselves.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Everything that answers, and what must run for it to answer.
#[derive(Debug)]
pub struct Service {
    shop: Shop,
    store: Store,
    gate: Option<Gate>,
    databases: [Database; 2],
    workers: Workers,
    request_timeout: Duration,
}

/// What runs beside the gRPC port.
#[derive(Debug)]
pub struct Beside {
    health: Watch,
    streams: Watches,
}

impl Beside {
    /// Runs until `stop`; then no stream stays open, so that the port can close.
    pub async fn run(self, stop: CancellationToken) {
        let close = async {
            stop.cancelled().await;
            self.streams.close();
        };
        tokio::join!(self.health.run(stop.clone()), close);
    }
}

impl Service {
    /// Waits for the database, migrates it, and puts the parts together. A Redis that is away is no
    /// hindrance.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn connect(config: &Config) -> Result<Self, ServiceError> {
        metrics::describe();
        let gate = match config.gate_url().map_err(ServiceError::Setting)? {
            Some(url) => {
                let options = GateOptions {
                    ca_pem: config.redis_ca().map_err(ServiceError::Setting)?,
                    ..GateOptions::new(url.expose())
                };
                Some(Gate::connect(options).await?)
            }
            None => None,
        };
        let [database, worker_database] = databases(config).await?;
        let store = Store::new(database.clone());
        let ids = ids()?;
        let catalog = Catalog::new(store.clone(), ids.clone());
        let (stock, deals, workers) = workers::build(StockParts {
            store: store.clone(),
            worker_store: Store::new(worker_database.clone()),
            gate: gate.clone(),
            ids,
            hold_ttl: config.hold_ttl,
            sold_out_memory: config.sold_out_memory,
            retention: Retention {
                holds: config.hold_retention,
                batches: config.batch_retention,
            },
            batch_max: config.stock_batch_max,
            queue_max: config.stock_queue_max,
        });
        Ok(Self {
            shop: Shop {
                catalog,
                stock,
                deals,
            },
            store,
            gate,
            databases: [database, worker_database],
            workers,
            request_timeout: config.common.request_timeout,
        })
    }

    /// The HTTP routes; `admin` may change things.
    pub fn router(&self, admin: Access) -> Router {
        http::router(self.shop.clone(), admin)
    }

    /// The gRPC service; `callers` may move stock. It can also be a client's transport.
    pub fn grpc(&self, callers: Access) -> ProductServiceServer<ProductGrpc> {
        let Shop {
            catalog,
            stock,
            deals,
        } = self.shop.clone();
        grpc::server(ProductGrpc {
            catalog,
            stock,
            deals,
            callers,
            request_timeout: self.request_timeout,
        })
    }

    /// Everything on the gRPC port: the service, reflection and health, and what must run beside it.
    ///
    /// # Errors
    /// When the descriptors for reflection are broken.
    pub fn grpc_router(
        &self,
        callers: Access,
        limits: &GrpcLimits,
    ) -> Result<(GrpcRouter, Beside), ServiceError> {
        let (health, watch) = grpc::health::service(self.store.clone());
        let router = builder(limits)
            .add_service(self.grpc(callers))
            .add_service(grpc::reflection::service()?)
            .add_service(grpc::reflection::service_v1alpha()?)
            .add_service(health);
        let streams = self.shop.deals.watches().clone();
        Ok((
            router,
            Beside {
                health: watch,
                streams,
            },
        ))
    }

    /// The ledger's database.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Without the database nothing can be answered; without Redis everything is slower.
    pub fn health(&self) -> Health {
        let store = self.store.clone();
        let health = Health::new().required("database", move || {
            let store = store.clone();
            async move { store.ping().await.map_err(|error| error.to_string()) }.boxed()
        });
        let Some(gate) = self.gate.clone() else {
            return health;
        };
        health.optional("redis", move || {
            let found = if gate.is_up() {
                Ok(())
            } else {
                Err("unreachable".to_owned())
            };
            async move { found }.boxed()
        })
    }

    /// Runs the workers until `stop`, drains them, and closes the database. What answers must have
    /// ended before `stop`, or its last requests find no worker.
    pub async fn run(self, stop: CancellationToken, drain_timeout: Duration) {
        let workers = self.workers.run(stop.clone());
        let too_late = async {
            stop.cancelled().await;
            tokio::time::sleep(drain_timeout).await;
        };
        tokio::select! {
            () = workers => {}
            () = too_late => tracing::warn!("the drain of the workers took too long: cutting off"),
        }
        if timeout(
            drain_timeout,
            join_all(self.databases.iter().map(Database::close)),
        )
        .await
        .is_err()
        {
            tracing::warn!("the database's connections did not close in time");
        }
    }
}

/// Connections that are kept for the workers: the ledger's two, the look-ups of the gate's batches, and
/// the keepers.
const WORKER_CONNECTIONS: u32 = 8;

/// Connections for requests and others for the workers, so that no crowd of readers stands in the ledger's
/// way. On a file requests read over connections of their own anyway.
async fn databases(config: &Config) -> Result<[Database; 2], SqlError> {
    let options = |connections_max| PoolOptions {
        connections_max,
        ..PoolOptions::new(config.database_url.expose(), SCHEMA)
    };
    let max = config.database_connections_max;
    let workers = WORKER_CONNECTIONS.min(max / 2).max(1);
    let requests = max.saturating_sub(workers).max(1);
    let database = sql::open(options(requests), &MIGRATIONS, DATABASE_PATIENCE).await?;
    let apart = database.apart(options(workers)).await?;
    Ok([database, apart])
}

fn ids() -> Result<IdSource, getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(IdSource::new(Arc::new(SystemClock), seed))
}
