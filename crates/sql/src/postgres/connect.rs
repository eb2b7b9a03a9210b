//! Pools.

use std::time::Duration;

use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::time::timeout;

use super::{PostgresDatabase, schema};
use crate::{PoolOptions, SqlError, within::silent};

/// A connection that stood idle for longer may have been forgotten by a router on the way.
const IDLE_TRUST: Duration = Duration::from_secs(5);
/// Short, since the caller waits for it; a connection given up by mistake costs a new one.
const IDLE_PING_TIMEOUT: Duration = Duration::from_millis(250);
/// Nobody waits for a connection on its way back but those who need a free one.
const RELEASE_PING_TIMEOUT: Duration = Duration::from_secs(1);

fn connection(options: &PoolOptions) -> Result<PgConnectOptions, SqlError> {
    // As start-up options they hold on every connection from its first statement on, without a
    // round trip, and a `RESET` falls back to them.
    Ok(schema::options(&options.url, options.schema)?.options([
        ("statement_timeout", millis(options.statement_timeout)),
        ("lock_timeout", millis(options.lock_timeout)),
        (
            "idle_in_transaction_session_timeout",
            millis(options.idle_in_transaction_timeout),
        ),
        // Every statement looks rows up by key and is planned once. Left to itself, the server plans some
        // anew each time, and others for the empty tables that it met first.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        ("enable_seqscan", "off".to_owned()),
        // With that, a statement that does read a whole table looks so dear to the server that it compiles it,
        // a third of a second for a table of one row.
        ("jit", "off".to_owned()),
        // The server's side of a connection whose client is gone without a word: found out within
        // half a minute, so that it does not take up one of the server's few connections.
        ("tcp_keepalives_idle", "10".to_owned()),
        ("tcp_keepalives_interval", "5".to_owned()),
        ("tcp_keepalives_count", "4".to_owned()),
    ]))
}

/// See [`crate::connect`].
pub(crate) async fn connect(options: PoolOptions) -> Result<PostgresDatabase, SqlError> {
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
        .connect_with(connection(&options)?)
        .await?;
    warn_of_lost_commits(&pool, options.schema).await?;
    Ok(PostgresDatabase::new(pool))
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
}
