//! product-service on its sockets: built, run, drained.

use std::{io, net::SocketAddr, pin::pin};

use axum::Router;
use service_kit::{
    auth::Access,
    ops,
    server::{Front, GrpcLimits, HttpLimits, bind, builder, serve_grpc, serve_http},
    telemetry::Telemetry,
};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    grpc, http, metrics,
    service::{Service, ServiceError},
};

/// A service with its listeners, ready to run.
#[derive(Debug)]
pub struct App {
    config: Config,
    service: Service,
    listeners: Listeners,
    front: Front,
    admin: Access,
    callers: Access,
    ops: Router,
}

#[derive(Debug)]
struct Listeners {
    http: TcpListener,
    grpc: TcpListener,
    ops: TcpListener,
}

/// Where the service listens; useful where a port was 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// HTTP.
    pub http: SocketAddr,
    /// gRPC.
    pub grpc: SocketAddr,
    /// Health and metrics.
    pub ops: SocketAddr,
}

impl App {
    /// Checks the settings, binds, connects and migrates. Binding comes first: a taken port is found
    /// before the database is touched.
    ///
    /// # Errors
    /// See [`ServiceError`].
    pub async fn build(config: Config, telemetry: &Telemetry) -> Result<Self, ServiceError> {
        metrics::describe();
        let admin = config.admin_access().map_err(ServiceError::Setting)?;
        let callers = config.caller_access().map_err(ServiceError::Setting)?;
        let front = config.front().map_err(ServiceError::Setting)?;
        let listeners = Listeners::bind(&config)
            .await
            .map_err(ServiceError::Setting)?;
        let service = Service::connect(&config).await?;
        let ops = ops::router(service.health(), telemetry);
        Ok(Self {
            config,
            service,
            listeners,
            front,
            admin,
            callers,
            ops,
        })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the operating system does not say.
    pub fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses {
            http: self.listeners.http.local_addr()?,
            grpc: self.listeners.grpc.local_addr()?,
            ops: self.listeners.ops.local_addr()?,
        })
    }

    /// Serves until `stop`. Then nothing new is accepted, requests in flight end, the workers finish
    /// what waits, the database is closed, and the ops port at last.
    ///
    /// # Errors
    /// When a listener fails or the workers end by themselves; everything else is stopped then.
    pub async fn run(self, stop: CancellationToken) -> Result<(), ServiceError> {
        let at = self.addresses()?;
        let drain_timeout = self.config.common.drain_timeout;
        let limits = HttpLimits::from(&self.config.common);
        let (stop_workers, stop_ops) = (CancellationToken::new(), CancellationToken::new());

        let ops = serve_http(
            self.listeners.ops,
            self.ops,
            limits.clone(),
            stop_ops.clone(),
        );
        let ops = tokio::spawn(ops);
        let router = http::index::router().merge(self.service.router(self.admin));
        let port = self.front.http(self.listeners.http);
        let http = serve_http(port, router, limits, stop.clone());
        let (health, watch) = grpc::health::service(self.service.store().clone());
        let grpc_limits = GrpcLimits {
            connections_max: self.config.grpc_connections_max,
            ..GrpcLimits::from(&self.config.common)
        };
        let router = builder(&grpc_limits)
            .add_service(self.service.grpc(self.callers))
            .add_service(grpc::reflection::service()?)
            .add_service(health);
        let port = self.front.grpc(self.listeners.grpc);
        let grpc = serve_grpc(port, router, grpc_limits, stop.clone());
        let workers = tokio::spawn(self.service.run(stop_workers.clone(), drain_timeout));

        tracing::info!(http = %at.http, grpc = %at.grpc, ops = %at.ops, tls = self.front.is_tls(), "product-service is up");
        let serving = async {
            tokio::join!(
                or_stop(http, &stop),
                or_stop(grpc, &stop),
                watch.run(stop.clone())
            )
        };
        let (ended, workers) = until_workers_end(serving, workers, &stop).await;
        stop_workers.cancel();
        let drained = match workers {
            Some(workers) => workers.await.map_err(io::Error::other),
            None => Err(io::Error::other(
                "the workers ended before they were told to",
            )),
        };
        stop_ops.cancel();
        ops.await.map_err(io::Error::other)??;
        let (http, grpc, ()) = ended;
        http.and(grpc).and(drained)?;
        tracing::info!("product-service has stopped");
        Ok(())
    }
}

/// A server that fails stops everything else.
async fn or_stop(
    server: impl Future<Output = io::Result<()>>,
    stop: &CancellationToken,
) -> io::Result<()> {
    let served = server.await;
    if let Err(error) = &served {
        tracing::error!(%error, "a listener failed");
        stop.cancel();
    }
    served
}

/// Waits until nothing is served any more. Workers that end before are no longer there to be drained;
/// without them nothing can be answered, so that serving stops too.
async fn until_workers_end<T>(
    serving: impl Future<Output = T>,
    mut workers: JoinHandle<()>,
    stop: &CancellationToken,
) -> (T, Option<JoinHandle<()>>) {
    let mut serving = pin!(serving);
    tokio::select! {
        served = &mut serving => (served, Some(workers)),
        ended = &mut workers => {
            tracing::error!(?ended, "the workers have ended");
            stop.cancel();
            (serving.await, None)
        }
    }
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, String> {
        Ok(Self {
            http: bind(config.product_http_addr, "PRODUCT_HTTP_ADDR").await?,
            grpc: bind(config.product_grpc_addr, "PRODUCT_GRPC_ADDR").await?,
            ops: bind(config.product_ops_addr, "PRODUCT_OPS_ADDR").await?,
        })
    }
}
