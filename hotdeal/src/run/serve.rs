//! The shop on its sockets: listens, serves, drains.

use std::io;

use axum::Router;
use service_kit::{
    auth::Access,
    openapi, ops,
    run::{together, upon},
    server::{GrpcLimits, HttpLimits, bind, serve_grpc, serve_http},
    telemetry::Telemetry,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    Config, document,
    shop::{RunError, Shop},
    welcome::{self, Addresses},
};

/// The whole process. Ports are taken before a database is opened: that is what a second start meets first.
pub(super) async fn serve(
    config: Config,
    telemetry: Telemetry,
    stop: CancellationToken,
) -> Result<(), RunError> {
    config.order.warn_if_no_buyer_is_believed();
    let listeners = Listeners::bind(&config).await?;
    let building = Shop::open(&config);
    let Some(shop) = stop.run_until_cancelled(building).await else {
        return Ok(());
    };
    let shop = shop?;
    let ops = ops::router(shop.health(), &telemetry);
    run(config, shop, listeners, ops, stop).await
}

struct Listeners {
    http: TcpListener,
    grpc: TcpListener,
    ops: TcpListener,
}

impl Listeners {
    async fn bind(config: &Config) -> Result<Self, RunError> {
        let own = &config.own;
        let bind = async |addr, variable| bind(addr, variable).await.map_err(RunError::Setting);
        Ok(Self {
            http: bind(own.hotdeal_http_addr, "HOTDEAL_HTTP_ADDR").await?,
            grpc: bind(own.hotdeal_grpc_addr, "HOTDEAL_GRPC_ADDR").await?,
            ops: bind(own.hotdeal_ops_addr, "HOTDEAL_OPS_ADDR").await?,
        })
    }

    fn addresses(&self) -> io::Result<Addresses> {
        Ok(Addresses {
            http: self.http.local_addr()?,
            grpc: self.grpc.local_addr()?,
            ops: self.ops.local_addr()?,
        })
    }
}

/// Serves until `stop`; then HTTP and gRPC end first, after them what the services do behind, and the
/// ops port at last.
async fn run(
    config: Config,
    shop: Shop,
    listeners: Listeners,
    ops: Router,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let at = listeners.addresses()?;
    let admin = config.product.admin_access().map_err(RunError::Setting)?;
    let callers = config.product.caller_access().map_err(RunError::Setting)?;
    let limits = HttpLimits::from(config.as_ref());
    let grpc_limits = GrpcLimits {
        connections_max: config.product.grpc_connections_max,
        ..GrpcLimits::from(config.as_ref())
    };
    let front = config.product.front().map_err(RunError::Setting)?;
    let router = openapi::router(&document::openapi()).merge(shop.router(admin));
    let port = front.http(listeners.http);
    let http = serve_http(port, router, limits.clone(), stop.clone());
    let (router, watch) = shop.grpc(callers, &grpc_limits)?;
    let grpc = serve_grpc(
        front.grpc(listeners.grpc),
        router,
        grpc_limits,
        stop.clone(),
    );
    let own_call = shop.router(Access::Open);
    let greeting = stop.run_until_cancelled(welcome::say(&config, at, front.is_tls(), own_call));

    tracing::info!(http = %at.http, grpc = %at.grpc, ops = %at.ops, tls = front.is_tls(), "hotdeal is up");
    let serving = async {
        let servers = together(http, grpc, &stop);
        let (served, (), _) = tokio::join!(servers, watch.run(stop.clone()), greeting);
        served
    };
    let settings = config.clone();
    let work = upon(serving, &stop, "the services", |stop| async move {
        shop.run(&settings, stop).await
    });
    let ((served, worked), watched) = upon(work, &stop, "the ops port", |stop| async move {
        Ok::<_, RunError>(serve_http(listeners.ops, ops, limits, stop).await?)
    })
    .await;
    worked.and(served.map_err(RunError::from)).and(watched)?;
    tracing::info!("hotdeal has stopped");
    Ok(())
}
