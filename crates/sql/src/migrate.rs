//! Migrations.

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection,
    migrate::{MigrateError, Migrator},
};

use crate::{SqlError, schema};

/// Brings `schema` up to date, creating it if it is absent. Any number of replicas may call this at
/// once: one migrates, the others wait and find it done.
///
/// # Errors
/// When the server does not let us in, a migration fails, or the schema is newer than `migrator`.
pub async fn migrate(url: &str, schema: &str, migrator: &Migrator) -> Result<(), SqlError> {
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
    migrated.map_err(|error| explain(error, schema, migrator))?;
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

fn explain(error: MigrateError, schema: &str, migrator: &Migrator) -> SqlError {
    let schema = schema.to_owned();
    let newest_known = migrator.iter().map(|migration| migration.version).max();
    match error {
        MigrateError::VersionMissing(version) if Some(version) > newest_known => {
            SqlError::Newer { schema, version }
        }
        source => SqlError::Migrate { schema, source },
    }
}
