//! The program `load`.

use std::{env, process::ExitCode};

fn main() -> ExitCode {
    load::main(env::args_os())
}
