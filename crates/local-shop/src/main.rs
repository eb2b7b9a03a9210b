//! The program `local-shop`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    local_shop::main(env::args_os())
}
