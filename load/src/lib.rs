//! Load on the whole shop, by k6, which acts as its buyers.
//!
//! - [`order_overload`]: the load target: the same load on the shop as it was before, on the way, and now.
//! - `scenario`: any other script of `k6/`, on a shop made for it or on one that is up.
//! - [`spike`]: sold out at once, on the same three shops. [`report`]: fills the reports in `docs/` from stored results.
//! - [`k6`]: a run of it and what it says. [`settings`]: what a run is told, by flags and variables.
//! - [`result`](mod@result): what a run leaves behind, as JSON; `plot` draws it, `table` prints it.
//! - `store`: what product-service and Redis say a decrement costs. `figures`: medians and spreads.

mod cli;
mod error;
mod figures;
pub mod k6;
pub mod order_overload;
mod plot;
mod record;
pub mod report;
pub mod result;
mod scenario;
pub mod settings;
pub mod spike;
mod store;
mod table;

pub use self::{cli::main, error::LoadError, figures::Spread};
