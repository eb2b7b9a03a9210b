//! Pools.

use std::{fmt, time::Duration};

use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use crate::{SqlError, schema, within::silent};

/// A connection that stood idle for longer may have been forgotten by a router on the way.
const IDLE_TRUST: Duration = Duration::from_secs(5);
/// Short, since the caller waits for it; a connection given up by mistake costs a new one.
const IDLE_PING_TIMEOUT: Duration = Duration::from_millis(250);
/// Nobody waits for a connection on its way back but those who need a free one.
const RELEASE_PING_TIMEOUT: Duration = Duration::from_secs(1);

/// What a pool connects to, and what its connections put up with.
#[derive(Clone)]
pub struct PoolOptions {
    /// `postgres://…`; it may hold a password, so `Debug` leaves it out.
    pub url: String,
    /// The schema of every unqualified name.
    pub schema: &'static str,
    /// Most connections at once.
    pub connections_max: u32,
    /// How long one statement may run. Default 10 s.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock. Default 1 s.
    pub lock_timeout: Duration,
    /// How long a transaction may do nothing before the server ends it: a replica that was stopped in
    /// the middle of one must not hold its locks. Default 1 s.
    pub idle_in_transaction_timeout: Duration,
    /// How long to wait for a free connection. Default 2 s.
    pub acquire_timeout: Duration,
}

impl PoolOptions {
    /// With the default time limits and 10 connections.
    pub fn new(url: impl Into<String>, schema: &'static str) -> Self {
        Self {
            url: url.into(),
            schema,
            connections_max: 10,
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(1),
            idle_in_transaction_timeout: Duration::from_secs(1),
            acquire_timeout: Duration::from_secs(2),
        }
    }

    fn connection(&self) -> Result<PgConnectOptions, SqlError> {
        // As start-up options they hold on every connection from its first statement on, without a
        // round trip, and a `RESET` falls back to them.
        Ok(schema::options(&self.url, self.schema)?.options([
            ("statement_timeout", millis(self.statement_timeout)),
            ("lock_timeout", millis(self.lock_timeout)),
            (
                "idle_in_transaction_session_timeout",
                millis(self.idle_in_transaction_timeout),
            ),
            // The server's side of a connection whose client is gone without a word: found out within
            // half a minute, so that it does not take up one of the server's few connections.
            ("tcp_keepalives_idle", "10".to_owned()),
            ("tcp_keepalives_interval", "5".to_owned()),
            ("tcp_keepalives_count", "4".to_owned()),
        ]))
    }
}

impl fmt::Debug for PoolOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolOptions")
            .field("schema", &self.schema)
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}

/// Opens a pool and its first connection. Warns when the server acknowledges commits before they are
/// on disk.
///
/// A connection is not pinged when it is taken, which would cost a round trip each time, unless it stood
/// idle for seconds: after the server was away the first statement on each may fail with an error that
/// [`crate::is_retryable`].
///
/// A connection whose work was dropped half-way goes back only if it answers within a second; the pool
/// alone would wait for that answer without end, and be one connection short meanwhile. sqlx lets nobody
/// set `TCP_USER_TIMEOUT` on its sockets, so silence while a statement runs is for [`crate::within`] to end.
///
/// # Errors
/// When the options are wrong or the server does not let us in.
pub async fn connect(options: PoolOptions) -> Result<PgPool, SqlError> {
    let pool = PgPoolOptions::new()
        .max_connections(options.connections_max)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, meta| {
            let trusted = meta.idle_for < IDLE_TRUST;
            Box::pin(async move {
                if !trusted {
                    ping(connection, IDLE_PING_TIMEOUT).await?;
                }
                Ok(true)
            })
        })
        .after_release(|connection, _| {
            Box::pin(async move {
                ping(connection, RELEASE_PING_TIMEOUT).await?;
                Ok(true)
            })
        })
        .connect_with(options.connection()?)
        .await?;
    warn_of_lost_commits(&pool, options.schema).await?;
    Ok(pool)
}

async fn ping(connection: &mut PgConnection, limit: Duration) -> Result<(), sqlx::Error> {
    timeout(limit, connection.ping())
        .await
        .unwrap_or_else(|_| Err(silent(limit)))
}

async fn warn_of_lost_commits(pool: &PgPool, schema: &str) -> Result<(), SqlError> {
    for setting in ["synchronous_commit", "fsync"] {
        let value: String = sqlx::query_scalar("SELECT current_setting($1)")
            .bind(setting)
            .fetch_one(pool)
            .await?;
        if value == "off" {
            tracing::warn!(
                schema,
                setting,
                "the server may lose commits it has acknowledged"
            );
        }
    }
    Ok(())
}

/// At least one: to Postgres 0 means no limit.
fn millis(duration: Duration) -> String {
    duration.as_millis().clamp(1, 2_147_483_647).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_limit_is_not_mistaken_for_none() {
        assert_eq!(millis(Duration::from_micros(5)), "1");
        assert_eq!(millis(Duration::from_secs(2)), "2000");
        assert_eq!(millis(Duration::MAX), "2147483647");
    }

    #[test]
    fn options_do_not_show_the_url() {
        let options = PoolOptions::new("postgres://u:s3cret@h/db", "product");
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}
