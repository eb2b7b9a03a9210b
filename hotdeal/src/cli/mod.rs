//! The command line: a shop's operator and its buyers over HTTP.
//!
//! - `args`: every command and flag. `run`: from a command to its exit code.
//! - `deal`, `product`, `order`, `health`: one function a command; `watch` follows a deal.
//! - `show`: tables and records for people. `failure`: what goes wrong, and its exit code.

mod args;
mod deal;
mod failure;
mod health;
mod order;
mod product;
mod run;
mod show;
mod watch;

pub(crate) use self::{failure::Failure, run::main, show::grouped};
