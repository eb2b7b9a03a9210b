//! The standard health service: `SERVING` only while the database answers.

use std::time::Duration;

use product_api::product_service_server::ProductServiceServer;
use tokio_util::sync::CancellationToken;
use tonic_health::{
    ServingStatus,
    pb::health_server::{Health, HealthServer},
    server::HealthReporter,
};

use super::ProductGrpc;
use crate::store::Store;

/// How often the database is asked, and how long it may take to answer.
const INTERVAL: Duration = Duration::from_secs(1);

/// The health service, and what keeps it true.
pub fn service(store: Store) -> (HealthServer<impl Health>, Watch) {
    let (reporter, server) = tonic_health::server::health_reporter();
    (server, Watch { reporter, store })
}

/// Asks the database and reports.
#[derive(Debug)]
pub struct Watch {
    reporter: HealthReporter,
    store: Store,
}

impl Watch {
    /// Reports until `stop`, and then that nothing is served any more.
    pub async fn run(self, stop: CancellationToken) {
        let _ = stop.run_until_cancelled(self.watch()).await;
        self.report(false).await;
    }

    async fn watch(&self) {
        loop {
            let answer = tokio::time::timeout(INTERVAL, self.store.ping()).await;
            self.report(matches!(answer, Ok(Ok(())))).await;
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// For the service and, under the empty name, for the server as a whole.
    async fn report(&self, is_serving: bool) {
        let status = if is_serving {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        self.reporter.set_service_status("", status).await;
        if is_serving {
            self.reporter
                .set_serving::<ProductServiceServer<ProductGrpc>>()
                .await;
        } else {
            self.reporter
                .set_not_serving::<ProductServiceServer<ProductGrpc>>()
                .await;
        }
    }
}
