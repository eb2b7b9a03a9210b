//! order-service without its listeners: an all-in-one binary mounts the same. Taken down, it first ends
//! the work of requests that were begun, then inserts, then releases.

use std::{sync::Arc, time::Duration};

use axum::Router;
use domain::{Clock, IdSource, SystemClock};
use futures::{FutureExt as _, future::select_all};
use service_kit::health::Health;
use sql::PoolOptions;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};
use tokio_util::{
    sync::CancellationToken,
    task::{AbortOnDropHandle, TaskTracker},
};
use tonic::metadata::{Ascii, MetadataValue};

use crate::{
    config::Config,
    ending::Orders,
    expire,
    http::{self, Api},
    metrics::{self, PlaceMetrics},
    place::{
        Placer,
        inserter::{InsertWorker, inserter},
        releaser::{ReleaseWorker, releaser},
    },
    retain,
    stock::{Stock, StockOptions, Transport},
    store::{MIGRATIONS, SCHEMA, STATEMENT_TIMEOUT, Store},
    watch::{self, Watchers},
};

/// The order in which things are started does not matter.
const DATABASE_PATIENCE: Duration = Duration::from_secs(60);
const PING_TIMEOUT: Duration = Duration::from_millis(800);

/// Why the service did not start or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The database cannot be reached or migrated.
    #[error("DATABASE_URL: {0}")]
    Database(#[from] sql::SqlError),
    /// A setting cannot be used, or a port cannot be listened on; the words name the variable.
    #[error("{0}")]
    Setting(String),
    /// An address of product-service is no URL, or there is nobody to trust over TLS.
    #[error("PRODUCT_GRPC_URL: {0}{why}", why = cause(.0))]
    Address(#[from] tonic::transport::Error),
    /// The token cannot be sent in a header.
    #[error("SERVICE_TOKEN: {0}")]
    Token(#[from] tonic::metadata::errors::InvalidMetadataValue),
    /// The machine gives no randomness to mint ids from.
    #[error("no randomness: {0}")]
    Randomness(#[from] getrandom::Error),
    /// A listener failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A background task broke off: it panicked.
    #[error("the background task {0:?} broke off: {1}")]
    Broken(&'static str, tokio::task::JoinError),
    /// A background task ended though nobody told it to.
    #[error("the background task {0:?} ended by itself")]
    Ended(&'static str),
}

/// What lies behind an error of the transport, whose own words say next to nothing.
fn cause(error: &tonic::transport::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(String::new, |source| format!(": {source}"))
}

/// Everything that answers, and what must run for it to answer.
#[derive(Debug)]
pub struct OrderService {
    api: Arc<Api>,
    stock: Arc<Stock>,
    insert_worker: InsertWorker,
    release_worker: ReleaseWorker,
    order_retention: Option<Duration>,
    drain_timeout: Duration,
}

impl OrderService {
    /// Connects to the database, migrates it, and reaches product-service over `transports`.
    ///
    /// # Errors
    /// When the database cannot be reached or migrated.
    pub async fn build(config: &Config, transports: Vec<Transport>) -> Result<Self, ServiceError> {
        metrics::describe();
        let store = open(config).await?;
        let options = StockOptions {
            hold_ttl: config.hold_ttl,
            authorization: authorization(config)?,
        };
        let stock = Arc::new(Stock::new(transports, options));
        let connections = config.database_connections_max;
        let (inserter, insert_worker) =
            inserter(store.clone(), config.order_batch_max, connections);
        let (releaser, release_worker) = releaser(Arc::clone(&stock), config.hold_ttl);
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        let placer = Placer {
            store: store.clone(),
            stock: Arc::clone(&stock),
            inserter,
            releaser,
            ids: IdSource::new(Arc::new(SystemClock), seed),
        };
        let api = Api {
            placer: Arc::new(placer),
            orders: Orders {
                store,
                stock: Arc::clone(&stock),
                watchers: Watchers::new(config.streams_max()),
            },
            is_user_header_trusted: config.is_user_header_trusted(),
            // The rest is for the way: an answer of ours says more than a timeout.
            work_time: config.common.request_timeout * 8 / 10,
            stream_age_max: config.order_stream_age_max,
            tasks: TaskTracker::new(),
            room: Arc::new(Semaphore::new(config.common.http_in_flight_max)),
            metrics: PlaceMetrics::new(),
        };
        Ok(Self {
            api: Arc::new(api),
            stock,
            insert_worker,
            release_worker,
            order_retention: config.order_retention,
            drain_timeout: config.common.drain_timeout,
        })
    }

    /// The buyers' interface, without limits and traces, which the server adds.
    pub fn router(&self) -> Router {
        http::router(Arc::clone(&self.api))
    }

    /// Orders can be read without product-service, but not without their database.
    pub fn health(&self) -> Health {
        let store = self.api.orders.store.clone();
        let stock = Arc::clone(&self.stock);
        Health::new()
            .required("database", move || {
                let store = store.clone();
                async move { store.ping().await.map_err(|error| error.to_string()) }.boxed()
            })
            .optional("product-service", move || {
                let stock = Arc::clone(&stock);
                let deadline = Instant::now() + PING_TIMEOUT;
                async move {
                    stock
                        .ping(deadline)
                        .await
                        .map_err(|error| error.to_string())
                }
                .boxed()
            })
    }

    /// Runs the background work until `stop`, which must come after the router's last request has been
    /// answered; then ends what was begun, each step within the drain timeout.
    ///
    /// # Errors
    /// When a background task panics or ends before `stop`: then nothing more is drained, since what
    /// waits for that task would wait for ever.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServiceError> {
        let (inserts, releases) = (CancellationToken::new(), CancellationToken::new());
        let orders = &self.api.orders;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mut workers = [
            Worker::spawn("inserts", self.insert_worker.run(inserts.clone())),
            Worker::spawn("releases", self.release_worker.run(releases.clone())),
            Worker::spawn("expiry", expire::run(orders.clone(), stop.clone())),
            Worker::spawn(
                "observation",
                expire::observe(orders.clone(), clock, stop.clone()),
            ),
            Worker::spawn(
                "watching",
                watch::run(orders.watchers.clone(), orders.store.clone(), stop.clone()),
            ),
            Worker::spawn(
                "retention",
                retain::run(orders.store.clone(), self.order_retention, stop.clone()),
            ),
        ];
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            error = first_to_end(&mut workers) => return Err(error),
        }
        self.api.tasks.close();
        let limit = self.drain_timeout;
        within(limit, "requests", self.api.tasks.wait()).await;
        let [insert, release, others @ ..] = workers;
        inserts.cancel();
        let inserted = insert.drain(limit).await;
        releases.cancel();
        let released = release.drain(limit).await;
        inserted.and(released)?;
        for worker in others {
            worker.drain(limit).await?;
        }
        within(limit, "the database", self.api.orders.store.close()).await;
        Ok(())
    }
}

/// A background task, which ends with its handle.
struct Worker {
    name: &'static str,
    task: AbortOnDropHandle<()>,
}

impl Worker {
    fn spawn(name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Self {
        let task = AbortOnDropHandle::new(tokio::spawn(work));
        Self { name, task }
    }

    async fn drain(self, limit: Duration) -> Result<(), ServiceError> {
        match within(limit, self.name, self.task).await {
            Some(Err(error)) => Err(ServiceError::Broken(self.name, error)),
            Some(Ok(())) | None => Ok(()),
        }
    }
}

/// Waits until one of them ends, which none should.
async fn first_to_end(workers: &mut [Worker]) -> ServiceError {
    let ends = workers.iter_mut().map(|worker| {
        let name = worker.name;
        (&mut worker.task).map(move |ended| match ended {
            Ok(()) => ServiceError::Ended(name),
            Err(error) => ServiceError::Broken(name, error),
        })
    });
    select_all(ends).await.0
}

async fn within<T>(
    limit: Duration,
    what: &'static str,
    work: impl Future<Output = T>,
) -> Option<T> {
    let done = timeout(limit, work).await;
    if done.is_err() {
        tracing::warn!(what, "not done within the drain timeout");
    }
    done.ok()
}

async fn open(config: &Config) -> Result<Store, ServiceError> {
    let connections = u32::try_from(config.database_connections_max).unwrap_or(u32::MAX);
    let options = PoolOptions {
        connections_max: connections,
        statement_timeout: STATEMENT_TIMEOUT,
        ..PoolOptions::new(config.database_url.expose(), SCHEMA)
    };
    let database = sql::open(options, &MIGRATIONS, DATABASE_PATIENCE).await?;
    Ok(Store::new(database))
}

fn authorization(config: &Config) -> Result<Option<MetadataValue<Ascii>>, ServiceError> {
    let Some(token) = &config.service_token else {
        return Ok(None);
    };
    let mut value: MetadataValue<Ascii> = format!("Bearer {}", token.expose()).parse()?;
    value.set_sensitive(true);
    Ok(Some(value))
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn a_worker_that_panics_or_ends_by_itself_is_named() {
        let idle = || Worker::spawn("idle", pending());
        let mut workers = [
            idle(),
            Worker::spawn("panics", async { panic!("on purpose") }),
        ];
        let error = first_to_end(&mut workers).await;
        assert!(
            matches!(error, ServiceError::Broken("panics", _)),
            "{error}"
        );
        let mut workers = [idle(), Worker::spawn("ends", async {})];
        let error = first_to_end(&mut workers).await;
        assert!(matches!(error, ServiceError::Ended("ends")), "{error}");
    }
}
