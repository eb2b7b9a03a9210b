//! The only SQL of this service.
//!
//! - [`insert`]: new orders with their outbox rows, many in one statement.
//! - [`find`], [`list`]: reads.
//! - [`update`]: moves one order on, if it still stands where it was read.
//! - [`due`]: leases pending orders whose deadline has passed; counts the pending ones.
//! - [`row`]: between a row and an order.
//!
//! The database's clock is the function `now_us()`; statements that use it as a bound write
//! `(SELECT now_us())`, which is evaluated once and lets the index be used.

pub mod due;
pub mod find;
pub mod insert;
pub mod list;
pub mod row;
pub mod update;

use std::future::Future;

use sqlx::PgPool;

/// Schema of the tables when the service shares a database.
pub const SCHEMA: &str = "order_service";

const TRIES_MAX: usize = 3;

/// What brings a database to this version.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// Orders in PostgreSQL; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: PgPool,
}

impl Store {
    /// Over a pool whose connections have [`SCHEMA`] in their search path.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        again(|| sqlx::query("SELECT 1").execute(&self.pool)).await?;
        Ok(())
    }
}

/// Runs a statement that may be repeated, and repeats it at once when its connection turns out to be
/// lost: connections are not pinged before use, so those of before a restart are found out like this.
async fn again<T, F>(mut statement: impl FnMut() -> F) -> Result<T, sqlx::Error>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    for _ in 1..TRIES_MAX {
        match statement().await {
            Err(sqlx::Error::PoolTimedOut) => return Err(sqlx::Error::PoolTimedOut),
            Err(error) if sql::is_retryable(&error) => {
                tracing::debug!(%error, "a statement is repeated");
            }
            result => return result,
        }
    }
    statement().await
}

/// What a read or write of orders may fail with.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database did not answer as wanted.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// A row that this version cannot read.
    #[error("order {id}: column {column} holds what cannot be an order")]
    Corrupt {
        /// The order's id.
        id: uuid::Uuid,
        /// Where.
        column: &'static str,
    },
}
