//! product-service: products, deals, stock and holds.
//!
//! - [`stock`]: takes, confirms and restores stock; routes a request to the gate or straight to the
//!   ledger.
//! - [`gate`]: Redis proposes. [`ledger`]: SQL decides. [`store`]: the only SQL.
//! - [`deals`]: the life of a deal, from its plan to its end; its live sum, and who watches it.
//! - [`catalog`]: what products are called and cost.
//! - `keeper`: what happens by itself: routes, debts to the gate, dead batches, scheduled deals, overdue
//!   holds.
//! - [`http`], [`grpc`]: decode, call, encode. `words`: what every wire says of a refusal.
//! - [`workers`]: what must run for stock to move. [`config`]: every setting.
//! - [`service`]: all of the above put together; [`app`]: on its sockets. `metrics`: what is measured.
//!
//! One request through the code: `docs/architecture.md`.

pub mod app;
pub mod catalog;
pub mod config;
pub mod deals;
pub mod gate;
pub mod grpc;
pub mod http;
mod keeper;
pub mod ledger;
mod metrics;
pub mod service;
pub mod stock;
pub mod store;
mod words;
pub mod workers;
