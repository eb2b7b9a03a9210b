//! gRPC, for other services: `hotdeal.product.v1.ProductService` over the catalogue, the stock and the
//! deals.
//!
//! - [`service`]: who may call which method, and the way into the files below.
//! - `products`: `GetProduct`, `CheckStock`. `stock`: `DecreaseStock`, `ConfirmStock`, `RestoreStock`.
//!   `deals`: `GetDeal`, `WatchDeal`.
//! - `convert`: messages to values, with every violation named. `errors`: errors to statuses.
//! - `deadline`: how long the caller waits.
//! - [`health`]: the standard health service follows the database. [`reflection`]: what there is.

mod convert;
mod deadline;
mod deals;
mod errors;
pub mod health;
mod products;
pub mod reflection;
pub mod service;
mod stock;

pub use self::service::{ProductGrpc, server};
