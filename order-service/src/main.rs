//! The program `order-service`.

use std::process::ExitCode;

use order_service::{app, config::Config, service::ServiceError};
use service_kit::{
    config, out, runtime, shutdown,
    telemetry::{self, Telemetry},
};

const NAME: &str = "order-service";
const ABOUT: &str = "Takes orders: accepted once the stock is held and the order is stored";

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
    app::serve(config, &telemetry, shutdown::signal()).await
}
