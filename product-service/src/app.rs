//! product-service on its sockets: built, run, drained.

use std::{ffi::OsString, io, net::SocketAddr, process::ExitCode};

use axum::Router;
use service_kit::{
    auth::Access,
    openapi, ops,
    run::{program, together, upon},
    server::{Front, GrpcLimits, HttpLimits, bind, serve_grpc, serve_http},
    telemetry::Telemetry,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    http,
    service::{Service, ServiceError},
};

const NAME: &str = "product-service";
const ABOUT: &str = "Products, deals, stock and holds: the gate in Redis, the ledger in SQL";

/// The program, with its arguments; the first is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    program(NAME, ABOUT, args, serve)
}

async fn serve(
    config: Config,
    telemetry: Telemetry,
    stop: CancellationToken,
) -> Result<(), ServiceError> {
    let building = App::build(config, &telemetry);
    match stop.run_until_cancelled(building).await {
        Some(app) => app?.run(stop).await,
        None => Ok(()),
    }
}

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
        let grpc_limits = GrpcLimits {
            connections_max: self.config.grpc_connections_max,
            ..GrpcLimits::from(&self.config.common)
        };
        let router = openapi::router(&http::openapi()).merge(self.service.router(self.admin));
        let port = self.front.http(self.listeners.http);
        let http = serve_http(port, router, limits.clone(), stop.clone());
        let (router, watch) = self.service.grpc_router(self.callers, &grpc_limits)?;
        let port = self.front.grpc(self.listeners.grpc);
        let grpc = serve_grpc(port, router, grpc_limits, stop.clone());
        let ops = (self.listeners.ops, self.ops);

        tracing::info!(http = %at.http, grpc = %at.grpc, ops = %at.ops, tls = self.front.is_tls(), "product-service is up");
        let serving = async {
            let (served, ()) = tokio::join!(together(http, grpc, &stop), watch.run(stop.clone()));
            served
        };
        let work = upon(serving, &stop, "the workers", |stop| async move {
            self.service.run(stop, drain_timeout).await;
            Ok(())
        });
        let ((served, worked), watched) = upon(work, &stop, "the ops port", |stop| async move {
            Ok(serve_http(ops.0, ops.1, limits, stop).await?)
        })
        .await;
        served
            .map_err(ServiceError::from)
            .and(worked)
            .and(watched)?;
        tracing::info!("product-service has stopped");
        Ok(())
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
