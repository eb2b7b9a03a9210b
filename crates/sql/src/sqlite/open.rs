//! Connections to a file: one that writes, so that nobody waits for a lock inside SQLite, and some that
//! read what is committed.

use std::{path::Path, sync::Arc};

use sqlx::{
    Connection as _, Error, SqliteConnection, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::task::AbortHandle;

use super::{file, lock::FileLock, owner, wal};
use crate::{
    PoolOptions, SqlError,
    open::explain,
    outcome::{sqlite as codes, sqlite_code},
};

/// More readers than this only stand in each other's way: each is a thread.
const READERS_MAX: u32 = 4;
/// Rows that a statement may be ahead of whoever reads them.
const ROWS_AHEAD: usize = 512;

/// A file of SQLite; clones share its connections. It is locked against other processes, and against
/// being opened again by this one, until the last clone is dropped.
#[derive(Debug, Clone)]
pub struct SqliteDatabase {
    writer: SqlitePool,
    reader: SqlitePool,
    _held: Arc<Held>,
}

#[derive(Debug)]
struct Held {
    _lock: FileLock,
    wal: AbortHandle,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.wal.abort();
    }
}

impl SqliteDatabase {
    /// The one connection that writes.
    pub fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// Connections that read what is committed, each statement on a snapshot of its own.
    pub fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    /// Closes the connections, the writer last: it copies the log into the file and removes it.
    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// Opens the file, creating it if it is absent, and brings it up to date if `migrations` are given.
pub(crate) async fn open(
    options: PoolOptions,
    migrations: Option<&Migrator>,
) -> Result<SqliteDatabase, SqlError> {
    let path = file::find(&options.url)?;
    let lock = FileLock::take(&path)?;
    let connection = connection(&path, &options);
    let writer = writer(&options)
        .connect_with(connection.clone())
        .await
        .map_err(|error| refused(error, &path))?;
    let mut first = writer.acquire().await?;
    prepare(&mut first, &path, options.schema, migrations).await?;
    drop(first);
    let reader = SqlitePoolOptions::new()
        .max_connections(options.connections_max.clamp(1, READERS_MAX))
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .max_lifetime(None)
        .connect_with(connection.pragma("query_only", "ON"))
        .await?;
    let watch = {
        let (path, writer) = (path, writer.clone());
        async move { wal::keep_short(&path, writer).await }
    };
    let held = Held {
        _lock: lock,
        wal: tokio::spawn(watch).abort_handle(),
    };
    Ok(SqliteDatabase {
        writer,
        reader,
        _held: Arc::new(held),
    })
}

fn connection(path: &Path, options: &PoolOptions) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on disk before it is answered.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(options.lock_timeout)
        .row_buffer_size(ROWS_AHEAD)
        .pragma("wal_autocheckpoint", wal::COPY_PAGES)
        .pragma("journal_size_limit", wal::KEPT_LEN_MAX)
        .pragma("temp_store", "MEMORY")
}

/// The connection stays: what it has prepared and read is kept with it.
fn writer(options: &PoolOptions) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_release(|connection, _| Box::pin(is_outside_transaction(connection)))
}

/// SQLite ends a transaction by itself when the disk fails under it, and sqlx then still counts one: such
/// a connection begins nothing any more, so it is replaced.
async fn is_outside_transaction(connection: &mut SqliteConnection) -> Result<bool, Error> {
    if connection.is_in_transaction() {
        // What was dropped is being rolled back: the answer comes behind that.
        connection.ping().await?;
    }
    Ok(!connection.is_in_transaction())
}

async fn prepare(
    connection: &mut SqliteConnection,
    path: &Path,
    schema: &'static str,
    migrations: Option<&Migrator>,
) -> Result<(), SqlError> {
    owner::claim(connection, path, schema).await?;
    let Some(migrations) = migrations else {
        return Ok(());
    };
    let migrated = migrations.run(connection).await;
    migrated.map_err(|error| explain(error, path.display().to_string(), migrations))
}

fn refused(error: Error, path: &Path) -> SqlError {
    let kind = match &error {
        Error::Database(error) => sqlite_code(&**error).map(codes::kind),
        _ => None,
    };
    match kind {
        Some(codes::NOTADB) => SqlError::NoDatabase(path.to_owned()),
        Some(codes::READONLY | codes::CANTOPEN) => SqlError::NotWritable {
            path: path.to_owned(),
            source: std::io::Error::other(error),
        },
        _ => SqlError::Database(error),
    }
}
