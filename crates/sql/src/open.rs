//! What a service does with its database before anything else, whatever the engine.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};

use crate::{Database, Engine, PoolOptions, SqlError, postgres, sqlite};

/// What brings a database of either engine to this version.
#[derive(Debug)]
pub struct Migrations {
    /// For PostgreSQL.
    pub postgres: Migrator,
    /// For SQLite.
    pub sqlite: Migrator,
}

/// Waits for the database for as long as `patience`, brings the schema up to date, and opens the pool.
///
/// # Errors
/// See [`wait_until_reachable`], [`migrate`](fn@migrate) and [`connect`](fn@connect).
pub async fn open(
    options: PoolOptions,
    migrations: &Migrations,
    patience: Duration,
) -> Result<Database, SqlError> {
    match engine(&options.url)? {
        Engine::Postgres => {
            postgres::wait_until_reachable(&options.url, patience).await?;
            postgres::migrate(&options.url, options.schema, &migrations.postgres).await?;
            Ok(Database::Postgres(postgres::connect(options).await?))
        }
        Engine::Sqlite => {
            let opened = sqlite::open(options, Some(&migrations.sqlite)).await?;
            Ok(Database::Sqlite(opened))
        }
    }
}

/// Opens a database that is there and migrated.
///
/// On Postgres: a pool and its first connection. Warns when the server acknowledges commits before they
/// are on disk. A connection is not pinged when it is taken, which would cost a round trip each time,
/// unless it stood idle for seconds: after the server was away the first statement on each may fail with
/// an error that [`crate::is_retryable`]. A connection whose work was dropped half-way goes back only if
/// it answers within a second; the pool alone would wait for that answer without end, and be one
/// connection short meanwhile. sqlx lets nobody set `TCP_USER_TIMEOUT` on its sockets, so silence while a
/// statement runs is for [`crate::within`] to end.
///
/// On SQLite: the file, which is created if it is absent, and belongs to this [`Database`] and its clones
/// alone until the last of them is dropped.
///
/// # Errors
/// When the options are wrong, the server does not let us in, or the file cannot be ours.
pub async fn connect(options: PoolOptions) -> Result<Database, SqlError> {
    match engine(&options.url)? {
        Engine::Postgres => Ok(Database::Postgres(postgres::connect(options).await?)),
        Engine::Sqlite => Ok(Database::Sqlite(sqlite::open(options, None).await?)),
    }
}

/// Brings `schema` up to date, creating it if it is absent. Any number of replicas may call this at
/// once on Postgres: one migrates, the others wait and find it done. A file of SQLite that somebody has
/// open is refused.
///
/// # Errors
/// When the server does not let us in, the file cannot be ours, a migration fails, or the schema is
/// newer than `migrations`.
pub async fn migrate(
    url: &str,
    schema: &'static str,
    migrations: &Migrations,
) -> Result<(), SqlError> {
    match engine(url)? {
        Engine::Postgres => postgres::migrate(url, schema, &migrations.postgres).await,
        Engine::Sqlite => {
            let options = PoolOptions::new(url, schema);
            let database = sqlite::open(options, Some(&migrations.sqlite)).await?;
            database.close().await;
            Ok(())
        }
    }
}

/// Returns when the database lets us in. While a server does not answer, or is starting up, tries again
/// with growing pauses for as long as `patience`, and says so in the log; a refusal that will not pass
/// (wrong password, no such database, a certificate that is not trusted) is returned at once. A file is
/// never waited for.
///
/// # Errors
/// [`SqlError::Unreachable`] when patience is over, and those refusals.
pub async fn wait_until_reachable(url: &str, patience: Duration) -> Result<(), SqlError> {
    match engine(url)? {
        Engine::Postgres => postgres::wait_until_reachable(url, patience).await,
        Engine::Sqlite => Ok(()),
    }
}

fn engine(url: &str) -> Result<Engine, SqlError> {
    Engine::of(url).map_err(|_| SqlError::Url)
}

/// `place` is what holds the tables, in words.
pub(crate) fn explain(error: MigrateError, place: String, migrator: &Migrator) -> SqlError {
    let newest_known = migrator.iter().map(|migration| migration.version).max();
    match error {
        MigrateError::VersionMissing(version) if Some(version) > newest_known => {
            SqlError::Newer { place, version }
        }
        source => SqlError::Migrate { place, source },
    }
}
