//! A transaction on either engine.

use sqlx::{Connection as _, Postgres, Sqlite};

use crate::Database;

/// A transaction, rolled back when it is dropped. Match on it, or use [`crate::inside!`].
#[derive(Debug)]
pub enum Transaction<'c> {
    /// On a server.
    Postgres(sqlx::Transaction<'c, Postgres>),
    /// On a file.
    Sqlite(sqlx::Transaction<'c, Sqlite>),
}

impl Database {
    /// Begins a transaction that may write. On SQLite it is the only one, from now to its end, so that
    /// nothing it reads needs a lock.
    ///
    /// # Errors
    /// When the database does not answer, or the writer is not free in time.
    pub async fn begin(&self) -> Result<Transaction<'static>, sqlx::Error> {
        Ok(match self {
            Self::Postgres(server) => Transaction::Postgres(server.begin().await?),
            Self::Sqlite(file) => {
                // One that began by reading could not write any more once somebody else has written.
                Transaction::Sqlite(file.writer().begin_with("BEGIN IMMEDIATE").await?)
            }
        })
    }
}

impl Transaction<'_> {
    /// Makes it last.
    ///
    /// # Errors
    /// Ask [`crate::is_unclear`] whether it may have been committed all the same.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(tx) => tx.commit().await,
            Self::Sqlite(tx) => tx.commit().await,
        }
    }

    /// A transaction within this one, which can fail alone.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn savepoint(&mut self) -> Result<Transaction<'_>, sqlx::Error> {
        Ok(match self {
            Self::Postgres(tx) => Transaction::Postgres(tx.begin().await?),
            Self::Sqlite(tx) => Transaction::Sqlite(tx.begin().await?),
        })
    }
}

/// Does `$work` with `$connection` bound to the connection of a [`crate::Transaction`], whichever engine
/// it is on; it is compiled once for each.
#[macro_export]
macro_rules! inside {
    ($transaction:expr, |$connection:ident| $work:expr) => {
        match $transaction {
            $crate::Transaction::Postgres(transaction) => {
                let $connection = &mut **transaction;
                $work
            }
            $crate::Transaction::Sqlite(transaction) => {
                let $connection = &mut **transaction;
                $work
            }
        }
    };
}
