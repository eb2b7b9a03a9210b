//! Database pools, schemas and migrations. Postgres for now; another engine gets a module of its own
//! beside `connect` and `migrate`.
//!
//! - [`connect`] with [`PoolOptions`]: a pool whose every connection has its schema and its time limits.
//! - [`migrate`]: brings a schema up to date, safe with many replicas at once.
//! - [`wait_until_reachable`]: start-up order does not matter.
//! - [`is_unclear`], [`is_retryable`]: what a failed statement means for its transaction.

mod connect;
mod error;
mod migrate;
mod outcome;
mod reach;
mod schema;

pub use self::{
    connect::{PoolOptions, connect},
    error::SqlError,
    migrate::migrate,
    outcome::{is_retryable, is_unclear},
    reach::wait_until_reachable,
};
