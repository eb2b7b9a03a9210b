//! A server behind a pool of connections, some of which workers keep from one use to the next.
//!
//! The pool asks a connection that comes back whether it still answers, twice: nothing beside a reader's
//! statement, but half the cost of a worker's that commits hundreds of times a second.

use std::{
    io,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sqlx::{Connection as _, PgConnection, PgPool, Postgres, Transaction, pool::PoolConnection};
use tokio::time::Instant;

/// A kept connection that was not used for longer goes back to the pool, which asks whether it still answers.
const TRUST: Duration = Duration::from_secs(2);
/// No more workers than these have use for one at once.
const KEPT_MAX: usize = 4;

/// Connections to a server. Clones share them.
#[derive(Debug, Clone)]
pub struct PostgresDatabase {
    pool: PgPool,
    kept: Arc<Mutex<Vec<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    connection: PoolConnection<Postgres>,
    used_at: Instant,
}

impl PostgresDatabase {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            kept: Arc::default(),
        }
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// A connection for a worker. Dropped, it goes back to the pool, which closes it if it does not answer;
    /// a worker that is done with it says [`Working::keep`].
    ///
    /// # Errors
    /// When the pool has no connection to give.
    pub async fn working(&self) -> Result<Working, sqlx::Error> {
        let connection = match self.take() {
            Some(kept) => kept,
            None => self.pool.acquire().await?,
        };
        let database = self.clone();
        Ok(Working {
            connection: Some(connection),
            is_beginning: false,
            database,
        })
    }

    /// A transaction that is begun even if nobody waits for it any more, and then rolled back: whoever gets the
    /// connection next must not find himself inside it.
    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
        let pool = self.pool.clone();
        let begun = tokio::spawn(async move { pool.begin().await });
        begun
            .await
            .unwrap_or_else(|ended| Err(io::Error::other(ended).into()))
    }

    /// Closes the connections once those in use have come back.
    pub(crate) async fn close(&self) {
        // From here on nothing is kept any more.
        let closing = self.pool.close();
        self.kept().clear();
        closing.await;
    }

    fn take(&self) -> Option<PoolConnection<Postgres>> {
        let Kept {
            connection,
            used_at,
        } = self.kept().pop()?;
        (used_at.elapsed() < TRUST).then_some(connection)
    }

    fn keep(&self, connection: PoolConnection<Postgres>) {
        // The others are for those who read.
        let kept_max = KEPT_MAX.min(self.pool.options().get_max_connections() as usize / 2);
        let mut kept = self.kept();
        if kept.len() < kept_max && !self.pool.is_closed() {
            let used_at = Instant::now();
            kept.push(Kept {
                connection,
                used_at,
            });
        }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that a worker is using.
#[derive(Debug)]
pub struct Working {
    /// Until it is given away.
    connection: Option<PoolConnection<Postgres>>,
    is_beginning: bool,
    database: PostgresDatabase,
}

/// It is there until it is kept or dropped.
const HELD: &str = "a worker's connection is given away only with the worker's handle to it";

impl Working {
    /// Begins a transaction, in place of what sqlx calls so. One that is given up half-way may yet be begun by the
    /// server, and neither sqlx nor the pool would know of it: what the next user of the connection believes to be
    /// committed would be rolled back. The connection is therefore closed.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn begin(&mut self) -> Result<Transaction<'_, Postgres>, sqlx::Error> {
        self.is_beginning = true;
        let connection = self.connection.as_mut().expect(HELD);
        let begun = connection.begin().await;
        self.is_beginning = begun.is_err();
        begun
    }

    /// Keeps it for the next who asks. Nothing may be under way on it any more.
    pub fn keep(mut self) {
        if let Some(connection) = self.connection.take() {
            self.database.keep(connection);
        }
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if let (true, Some(connection)) = (self.is_beginning, &mut self.connection) {
            connection.close_on_drop();
        }
    }
}

impl Deref for Working {
    type Target = PgConnection;
    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect(HELD)
    }
}

impl DerefMut for Working {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect(HELD)
    }
}
