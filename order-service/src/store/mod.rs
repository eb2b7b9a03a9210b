//! The only SQL of this service.
//!
//! - [`insert`]: new orders with their outbox rows, many in one statement.
//! - [`find`], [`list`]: reads.
//! - [`update`]: moves one order on, if it still stands where it was read.
//! - [`due`]: leases orders that wait for somebody: overdue ones, half cancelled ones; counts them.
//! - [`retain`]: deletes what ended long ago.
//! - [`row`]: between a row and an order.
//!
//! Statements that both engines understand exist once; where they differ, by lists and locks, the two
//! stand one above the other. `(SELECT now_us FROM clock)` is the database's clock, evaluated once, which
//! lets an index be used.

pub mod due;
pub mod find;
pub mod insert;
pub mod list;
pub mod retain;
pub mod row;
pub mod update;

use std::{future::Future, time::Duration};

use sql::Database;
use tokio::time::Instant;

/// Schema of the tables when the service shares a database.
pub const SCHEMA: &str = "order_service";

/// No statement may outlive the minute that product-service waits after a hold's deadline, and a request
/// must have time for a second try when the first was lost.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(3);

const TRIES_MAX: usize = 3;
/// No try begins later than this: the buyer has been answered by then.
const TRYING_MAX: Duration = Duration::from_secs(8);

/// What brings a database to this version.
pub static MIGRATIONS: sql::Migrations = sql::Migrations {
    postgres: sqlx::migrate!("migrations/postgres"),
    sqlite: sqlx::migrate!("migrations/sqlite"),
};

/// Orders in a database of either engine; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
}

impl Store {
    /// Over a database of [`SCHEMA`], migrated.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Closes the connections once those in use have come back; nothing can be asked afterwards.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sql::read!(&self.database, |pool| {
            again(|| sqlx::query("SELECT 1").fetch_one(pool)).await?;
        });
        Ok(())
    }
}

/// Waits for a statement, but not for ever when its connection has fallen silent. Every statement of
/// this service goes through here.
async fn answered<T>(
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    sql::within(STATEMENT_TIMEOUT + sql::ANSWER_GRACE, statement).await
}

/// Runs a statement that may be repeated, and repeats it at once when its connection turns out to be
/// lost: connections are not pinged before use, so those of before a restart are found out like this.
async fn again<T, F>(mut statement: impl FnMut() -> F) -> Result<T, sqlx::Error>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    let trying_ends = Instant::now() + TRYING_MAX;
    for _ in 1..TRIES_MAX {
        match answered(statement()).await {
            Err(sqlx::Error::PoolTimedOut) => return Err(sqlx::Error::PoolTimedOut),
            Err(error) if sql::is_retryable(&error) && Instant::now() < trying_ends => {
                tracing::debug!(%error, "a statement is repeated");
            }
            result => return result,
        }
    }
    answered(statement()).await
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
