//! A database of either engine.

use sqlx::PgPool;

use crate::{Engine, PoolOptions, PostgresDatabase, SqlError, SqliteDatabase, connect};

/// Connections to a database. Clones share them.
#[derive(Debug, Clone)]
pub enum Database {
    /// A pool of connections to a server.
    Postgres(PostgresDatabase),
    /// A file, with one connection that writes and some that read.
    Sqlite(SqliteDatabase),
}

impl Database {
    /// Which engine it is.
    pub fn engine(&self) -> Engine {
        match self {
            Self::Postgres(_) => Engine::Postgres,
            Self::Sqlite(_) => Engine::Sqlite,
        }
    }

    /// The pool, if it is one of Postgres.
    pub fn postgres(&self) -> Option<&PgPool> {
        match self {
            Self::Postgres(server) => Some(server.pool()),
            Self::Sqlite(_) => None,
        }
    }

    /// The same database over connections of its own, so that one group of callers does not stand in
    /// another's way. A file has one writer: there it is the same connections.
    ///
    /// # Errors
    /// As [`connect`](fn@connect); `options` must name this database.
    pub async fn apart(&self, options: PoolOptions) -> Result<Self, SqlError> {
        match self {
            Self::Postgres(_) => connect(options).await,
            Self::Sqlite(_) => Ok(self.clone()),
        }
    }

    /// Closes the connections once those in use have come back. The file of SQLite is then whole by
    /// itself, and free once the last clone is dropped.
    pub async fn close(&self) {
        match self {
            Self::Postgres(server) => server.close().await,
            Self::Sqlite(database) => database.close().await,
        }
    }
}

/// Does `$work` with `$pool` bound to connections that read, on whichever engine `$database` is; it is
/// compiled once for each. On SQLite a statement that writes is refused there.
///
/// ```ignore
/// sql::read!(&self.database, |pool| sqlx::query_scalar(COUNT).fetch_one(pool).await)
/// ```
#[macro_export]
macro_rules! read {
    ($database:expr, |$pool:ident| $work:expr) => {
        match $database {
            $crate::Database::Postgres(server) => {
                let $pool = server.pool();
                $work
            }
            $crate::Database::Sqlite(database) => {
                let $pool = database.reader();
                $work
            }
        }
    };
}

/// As [`read!`], with connections that may write. A transaction that reads before it writes must begin
/// with `BEGIN IMMEDIATE` on SQLite.
#[macro_export]
macro_rules! write {
    ($database:expr, |$pool:ident| $work:expr) => {
        match $database {
            $crate::Database::Postgres(server) => {
                let $pool = server.pool();
                $work
            }
            $crate::Database::Sqlite(database) => {
                let $pool = database.writer();
                $work
            }
        }
    };
}
