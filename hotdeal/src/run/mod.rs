//! The whole shop in one process.
//!
//! - [`Config`]: the settings of both services that make sense here, and the shop's own.
//! - `data_dir`: the SQLite files' directory, which only one process may have.
//! - `shop`: both services put together; order-service reaches the other's generated server in memory.
//! - `serve`: on sockets; what stops in which order.
//! - `document`: what the interface of the whole is. `welcome`: the demo deal, and what to try.

mod config;
mod data_dir;
mod document;
mod serve;
mod shop;
mod welcome;

use std::{ffi::OsString, process::ExitCode};

pub use self::config::Config;
use self::serve::serve;

const NAME: &str = "hotdeal";
/// What `--help` says above the flags.
const ABOUT: &str = "Runs the whole shop in one process, by default without any server: what it knows is in \
     two SQLite files. To start afresh, stop it and delete its data directory";

/// The program `hotdeal run`, with its arguments; the first is its name.
pub fn main(args: Vec<OsString>) -> ExitCode {
    service_kit::run::program(NAME, ABOUT, args, serve)
}
