//! order-service: orders, accepted once their stock is held and their row is committed.
//!
//! - [`order`]: what an order is and how it may change; pure.
//! - [`place`], [`confirm`](mod@confirm), [`cancel`], `expire`, and what the last three share,
//!   [`ending`]: the use cases.
//! - `retain`: what ended long ago is deleted. [`watch`]: who waits for an order to change.
//! - [`stock`]: product-service over gRPC. [`store`]: the only SQL. [`http`]: what buyers talk to.
//! - [`config`]: every setting. `metrics`: what is measured.
//! - [`service`]: all of the above put together; [`app`]: on its sockets.
//!
//! The walk of one order: `http::place` → [`place::Placer::place`] → [`stock::Stock::decrease`] →
//! [`place::inserter`] → [`store::Store::insert`] → `202`.

pub mod app;
pub mod cancel;
pub mod config;
pub mod confirm;
pub mod ending;
mod expire;
pub mod http;
mod metrics;
pub mod order;
pub mod place;
mod retain;
pub mod service;
pub mod stock;
pub mod store;
pub mod watch;

pub use service::OrderService;
