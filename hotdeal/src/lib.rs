//! hotdeal: the whole shop in one process, and the operator's command line.
//!
//! - [`run`]: both services behind one HTTP port, on SQLite files or on Postgres and Redis.
//! - `cli`: the command line over HTTP, tables for people and JSON for programs; `client` carries it.
//! - `demo`: a burst of buyers, and the verdict on it.
//!
//! One program with several callings: `hotdeal product-service` and `hotdeal order-service` are the
//! services themselves, with their own flags.

mod cli;
mod client;
mod demo;
pub mod run;

use std::{ffi::OsString, process::ExitCode};

/// The program, with its arguments; the first is its name.
pub fn main(args: Vec<OsString>) -> ExitCode {
    // What takes flags of its own is told apart before the command line is read: the same flag means
    // different things to a server and to whoever talks to one.
    match args.get(1).and_then(|calling| calling.to_str()) {
        Some("run") => run::main(as_program(args)),
        Some("product-service") => product_service::app::main(as_program(args)),
        Some("order-service") => order_service::app::main(as_program(args)),
        Some("config") => run::main(args),
        _ => cli::main(args),
    }
}

/// `hotdeal run --flag` as the program `hotdeal run` with its flags.
fn as_program(mut args: Vec<OsString>) -> Vec<OsString> {
    let calling = args.remove(1);
    if let Some(name) = args.first_mut() {
        name.push(" ");
        name.push(calling);
    }
    args
}
