//! What every service needs and what knows no shop.
//!
//! - [`config`]: settings from flags, environment and file; `config check`; secrets that never show.
//! - [`telemetry`], [`trace`], [`metrics`]: logs, metrics, and the `traceparent` of every request.
//! - [`health`], [`ops`]: what the ops port answers.
//! - [`server`]: HTTP and gRPC servers with limits that drain when told to stop; [`shutdown`] tells them.
//! - [`tls`], [`cors`]: certificates of ours and of others; which pages of other origins may call.
//! - [`problem`], [`extract`], [`page`], [`auth`]: what handlers take and how they refuse.
//! - [`openapi`]: what of the document of an interface every service has, and the page to try it.
//! - [`batcher`]: group commit over a bounded, fair queue. [`remembered`]: facts believed for a moment.
//! - [`run`]: a program from its arguments to its exit code; [`runtime`]: the tokio runtime by the settings.
//! - [`out`]: the one place that prints.

pub mod auth;
pub mod batcher;
pub mod config;
pub mod cors;
pub mod extract;
pub mod health;
pub mod metrics;
pub mod openapi;
pub mod ops;
pub mod out;
pub mod page;
pub mod problem;
pub mod remembered;
pub mod run;
pub mod runtime;
pub mod server;
pub mod shutdown;
pub mod telemetry;
pub mod tls;
pub mod trace;
