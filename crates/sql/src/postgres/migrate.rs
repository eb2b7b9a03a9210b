//! Migrations.

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection, migrate::Migrator};

use super::schema;
use crate::{SqlError, open::explain};

/// See [`crate::migrate`].
pub(crate) async fn migrate(url: &str, schema: &str, migrator: &Migrator) -> Result<(), SqlError> {
    let mut connection = connect(url, schema).await?;
    // Two services may share a database, so the lock is the schema's. It ends with the connection.
    sqlx::query("SELECT pg_advisory_lock(hashtextextended('hotdeal migrations of ' || $1, 0))")
        .bind(schema)
        .execute(&mut connection)
        .await?;
    let create = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
    sqlx::query(AssertSqlSafe(create))
        .execute(&mut connection)
        .await?;
    let migrated = migrator.run(&mut connection).await;
    migrated.map_err(|error| explain(error, format!("schema {schema}"), migrator))?;
    connection.close().await?;
    Ok(())
}

/// A connection without time limits, whatever the server's own defaults: a migration may take long, and
/// so may waiting for another replica's.
async fn connect(url: &str, schema: &str) -> Result<PgConnection, SqlError> {
    let options = schema::options(url, schema)?.options([
        ("statement_timeout", "0"),
        ("lock_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        // "already exists, skipping" is no news.
        ("client_min_messages", "warning"),
    ]);
    Ok(options.connect().await?)
}
