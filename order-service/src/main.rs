//! order-service as a process.

use std::process::ExitCode;

use order_service::{app, config::Config};
use service_kit::{config, runtime, shutdown};

fn main() -> ExitCode {
    let config: Config = config::load(
        "order-service",
        "Takes orders: accepted once the stock is held and the order is stored",
    );
    let ended = match runtime::build(&config.common) {
        Ok(runtime) => runtime
            .block_on(async { app::serve(config, shutdown::signal()).await })
            .map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error, "order-service cannot run");
            ExitCode::FAILURE
        }
    }
}
