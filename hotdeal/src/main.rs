//! The program `hotdeal`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    hotdeal::main(env::args_os().collect())
}
