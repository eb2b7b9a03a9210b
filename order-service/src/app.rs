//! order-service on its sockets: listens, serves, drains. The listeners stop first, the ops port last.

use std::{ffi::OsString, process::ExitCode};

use service_kit::{
    openapi, ops,
    run::{program, upon},
    server::{HttpLimits, bind, serve_http},
    telemetry::Telemetry,
};
use tokio_util::sync::CancellationToken;

use crate::{OrderService, config::Config, http, service::ServiceError, stock::connect};

const NAME: &str = "order-service";
const ABOUT: &str = "Takes orders: accepted once the stock is held and the order is stored";

/// The program, with its arguments; the first is its name.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    program(NAME, ABOUT, args, serve)
}

/// The whole process: listens, serves until `stop`, drains.
async fn serve(
    config: Config,
    telemetry: Telemetry,
    stop: CancellationToken,
) -> Result<(), ServiceError> {
    config.warn_if_no_buyer_is_believed();
    let front = config.front().map_err(ServiceError::Setting)?;
    let buyers = bind(config.order_http_addr, "ORDER_HTTP_ADDR").await;
    let buyers = buyers.map_err(ServiceError::Setting)?;
    let operators = bind(config.order_ops_addr, "ORDER_OPS_ADDR").await;
    let operators = operators.map_err(ServiceError::Setting)?;
    let (http, ops_addr) = (buyers.local_addr()?, operators.local_addr()?);
    let ca_pem = config.product_grpc_ca().map_err(ServiceError::Setting)?;
    let transports = connect(
        &config.product_grpc_url,
        config.product_channels,
        ca_pem.as_deref(),
    )?;
    let building = OrderService::build(&config, transports);
    let Some(service) = stop.run_until_cancelled(building).await else {
        return Ok(());
    };
    let service = service?;
    let limits = HttpLimits::from(&config.common);
    let router = openapi::router(&http::openapi()).merge(service.router());
    let ops = ops::router(service.health(), &telemetry);
    let serving = serve_http(front.http(buyers), router, limits.clone(), stop.clone());
    tracing::info!(%http, ops = %ops_addr, tls = front.is_tls(), "order-service is up");
    let work = upon(serving, &stop, "the background work", |stop| {
        service.run(stop)
    });
    let ((served, worked), watched) = upon(work, &stop, "the ops port", |stop| async move {
        Ok(serve_http(operators, ops, limits, stop).await?)
    })
    .await;
    tracing::info!("order-service has stopped");
    worked.and(served.map_err(ServiceError::from)).and(watched)
}
