//! What a service does with its database before anything else.

use std::time::Duration;

use sqlx::{PgPool, migrate::Migrator};

use crate::{PoolOptions, SqlError, connect, migrate, wait_until_reachable};

/// Waits for the database for as long as `patience`, brings the schema up to date, and opens the pool.
///
/// # Errors
/// See [`wait_until_reachable`], [`migrate`](fn@migrate) and [`connect`](fn@connect).
pub async fn open(
    options: PoolOptions,
    migrations: &Migrator,
    patience: Duration,
) -> Result<PgPool, SqlError> {
    wait_until_reachable(&options.url, patience).await?;
    migrate(&options.url, options.schema, migrations).await?;
    connect(options).await
}
