//! Both services in one process. order-service reaches product-service through its generated client,
//! which is given the generated server itself as its transport.

use axum::Router;
use order_service::{OrderService, stock::in_process};
use product_service::service::{Beside, Service};
use service_kit::{
    auth::Access,
    health::Health,
    run::upon,
    server::{GrpcLimits, GrpcRouter},
};
use tokio_util::sync::CancellationToken;

use super::{
    Config,
    data_dir::{self, DataDirError},
};

/// Why the shop does not start, or no longer runs.
#[derive(Debug, thiserror::Error)]
pub(super) enum RunError {
    /// A setting is wrong, or a port cannot be listened on; the words name the variable.
    #[error("{0}")]
    Setting(String),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// product-service cannot start, or broke off.
    #[error(transparent)]
    Product(#[from] product_service::service::ServiceError),
    /// order-service cannot start, or broke off.
    #[error(transparent)]
    Order(#[from] order_service::service::ServiceError),
    /// A server failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// Both services, and what must run for them to answer.
#[derive(Debug)]
pub(super) struct Shop {
    product: Service,
    order: OrderService,
}

impl Shop {
    /// Opens and migrates both databases and puts the services together.
    pub(super) async fn open(config: &Config) -> Result<Self, RunError> {
        if config.is_on_files() {
            data_dir::make(&config.own.hotdeal_data_dir)?;
        }
        let product = Service::connect(&config.product).await;
        let product = product.map_err(|error| explain(error.into(), config))?;
        // Who is in the same process needs no token.
        let transport = in_process(product.grpc(Access::Open));
        let order = OrderService::build(&config.order, vec![transport]).await;
        let order = order.map_err(|error| explain(error.into(), config))?;
        Ok(Self { product, order })
    }

    /// Every HTTP path of both; `admin` may change things.
    pub(super) fn router(&self, admin: Access) -> Router {
        self.order.router().merge(self.product.router(admin))
    }

    /// Everything on the gRPC port; `callers` may move stock.
    pub(super) fn grpc(
        &self,
        callers: Access,
        limits: &GrpcLimits,
    ) -> Result<(GrpcRouter, Beside), RunError> {
        Ok(self.product.grpc_router(callers, limits)?)
    }

    /// The checks of both.
    pub(super) fn health(&self) -> Health {
        Health::new()
            .part("product", self.product.health())
            .part("order", self.order.health())
    }

    /// Runs the work behind both until `stop`: order-service's is ended first, since it ends in calls to
    /// product-service; then that one's, and each service's database with it.
    pub(super) async fn run(
        self,
        config: &Config,
        stop: CancellationToken,
    ) -> Result<(), RunError> {
        let (product, drain_timeout) = (self.product, config.product.common.drain_timeout);
        let order = self.order.run(stop.clone());
        let (order, product) = upon(order, &stop, "product-service", |stop| async move {
            product.run(stop, drain_timeout).await;
            Ok::<_, RunError>(())
        })
        .await;
        product.and(order.map_err(RunError::from))
    }
}

/// What is wrong with a file has a remedy of its own where the shop has put it there itself.
fn explain(error: RunError, config: &Config) -> RunError {
    use order_service::service::ServiceError as OrderError;
    use product_service::service::ServiceError as ProductError;
    match error {
        RunError::Product(ProductError::Database(error))
        | RunError::Order(OrderError::Database(error))
            if config.is_on_files() =>
        {
            data_dir::explain(&config.own.hotdeal_data_dir, error).into()
        }
        error => error,
    }
}
