//! The program `order-service`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    order_service::app::main(env::args_os())
}
