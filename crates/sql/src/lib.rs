//! Database pools, schemas and migrations, for PostgreSQL and SQLite.
//!
//! - [`open`]: all that a service does at its start: the three below, in their order.
//! - [`wait_until_reachable`]: start-up order does not matter.
//! - [`migrate`]: brings a schema up to date, safe with many replicas at once.
//! - [`connect`] with [`PoolOptions`]: a [`Database`], whose every connection has its time limits.
//! - [`PostgresDatabase`]: a pool, and the connections that workers keep of it.
//! - [`read!`], [`write!`]: a statement that both engines understand, run on the one there is.
//! - [`Transaction`], [`inside!`]: the same within a transaction.
//! - [`Statement`]: one that the engines do not share. [`list`]: how lists become its parameters.
//! - [`Engine`]: which engine a URL names.
//! - [`within`]: a limit on an operation that holds when no answer can arrive.
//! - [`is_unclear`], [`is_retryable`]: what a failed statement means for its transaction.
//! - `postgres`, `sqlite`: what the engines do not share.

mod database;
mod engine;
mod error;
pub mod list;
mod open;
mod options;
mod outcome;
mod postgres;
mod sqlite;
mod statement;
mod transaction;
mod within;

pub use self::{
    database::Database,
    engine::Engine,
    error::SqlError,
    open::{Migrations, connect, migrate, open, wait_until_reachable},
    options::PoolOptions,
    outcome::{is_retryable, is_unclear},
    postgres::{PostgresDatabase, Working},
    sqlite::SqliteDatabase,
    statement::Statement,
    transaction::Transaction,
    within::{ANSWER_GRACE, within},
};
