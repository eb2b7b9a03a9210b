//! The program `product-service`.

use std::process::ExitCode;

use product_service::{app::App, config::Config, service::ServiceError};
use service_kit::{
    config, out, runtime, shutdown,
    telemetry::{self, Telemetry},
};

const NAME: &str = "product-service";
const ABOUT: &str = "Products, deals, stock and holds: the gate in Redis, the ledger in SQL";

fn main() -> ExitCode {
    let config: Config = config::load(NAME, ABOUT);
    let telemetry =
        telemetry::init(&config.common, NAME).unwrap_or_else(|error| out::refuse(error));
    let runtime = runtime::build(&config.common).unwrap_or_else(|error| out::refuse(error));
    match runtime.block_on(run(config, telemetry)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config, telemetry: Telemetry) -> Result<(), ServiceError> {
    let stop = shutdown::signal();
    telemetry.spawn_upkeep(stop.clone());
    let building = App::build(config, &telemetry);
    match stop.run_until_cancelled(building).await {
        Some(app) => app?.run(stop).await,
        None => Ok(()),
    }
}
