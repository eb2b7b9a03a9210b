//! Database pools, schemas and migrations. Postgres for now; another engine gets a module of its own
//! beside `connect` and `migrate`.
//!
//! - [`open`]: all that a service does at its start: the three below, in their order.
//! - [`wait_until_reachable`]: start-up order does not matter.
//! - [`check_engine`]: whether a URL names an engine there is.
//! - [`migrate`]: brings a schema up to date, safe with many replicas at once.
//! - [`connect`] with [`PoolOptions`]: a pool whose every connection has its schema and its time limits.
//! - [`within`]: a limit on an operation that holds when no answer can arrive.
//! - [`is_unclear`], [`is_retryable`]: what a failed statement means for its transaction.

mod connect;
mod engine;
mod error;
mod migrate;
mod open;
mod outcome;
mod reach;
mod schema;
mod tls;
mod within;

pub use self::{
    connect::{PoolOptions, connect},
    engine::check_engine,
    error::SqlError,
    migrate::migrate,
    open::open,
    outcome::{is_retryable, is_unclear},
    reach::wait_until_reachable,
    within::{ANSWER_GRACE, within},
};
