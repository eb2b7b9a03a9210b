//! The program `product-service`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    product_service::app::main(env::args_os())
}
