//! order-service on its sockets: listens, serves, drains. The listeners stop first, the ops port last.

use service_kit::{
    ops,
    server::{HttpLimits, bind, serve_http},
    telemetry::Telemetry,
};
use tokio_util::sync::CancellationToken;

use crate::{OrderService, config::Config, metrics, service::ServiceError, stock::connect};

/// The whole process: listens, serves until `stop`, drains.
///
/// # Errors
/// When it cannot start, or its background work breaks off.
pub async fn serve(
    config: Config,
    telemetry: &Telemetry,
    stop: CancellationToken,
) -> Result<(), ServiceError> {
    metrics::describe();
    if !config.is_user_header_trusted() {
        tracing::warn!(
            "every buyer is refused: TRUST_USER_HEADER is not set and {} is no loopback address",
            config.order_http_addr
        );
    }
    let front = config.front().map_err(ServiceError::Setting)?;
    let buyers = bind(config.order_http_addr, "ORDER_HTTP_ADDR").await;
    let buyers = buyers.map_err(ServiceError::Listen)?;
    let operators = bind(config.order_ops_addr, "ORDER_OPS_ADDR").await;
    let operators = operators.map_err(ServiceError::Listen)?;
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
    let (router, ops) = (service.router(), ops::router(service.health(), telemetry));
    let (ops_stop, workers_stop) = (CancellationToken::new(), CancellationToken::new());
    telemetry.spawn_upkeep(ops_stop.clone());
    let ops = tokio::spawn(serve_http(operators, ops, limits.clone(), ops_stop.clone()));
    let mut workers = tokio::spawn(service.run(workers_stop.clone()));
    tracing::info!(%http, ops = %ops_addr, tls = front.is_tls(), "order-service listens");
    let (served, ended) = tokio::select! {
        served = serve_http(front.http(buyers), router, limits, stop) => {
            workers_stop.cancel();
            (served, workers.await)
        }
        ended = &mut workers => (Ok(()), ended),
    };
    ops_stop.cancel();
    drop(ops.await);
    tracing::info!("order-service has stopped");
    ended.map_err(|error| ServiceError::Broken("workers", error))??;
    Ok(served?)
}
