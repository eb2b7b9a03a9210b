//! Deletes orders that have ended long ago, with their keys and their sent events.

use std::time::Duration;

use sql::Statement;

use super::{Store, StoreError, answered};

/// `$skip` passes over those that another replica is just deleting.
macro_rules! delete {
    ($skip:literal) => {
        concat!(
            "DELETE FROM orders WHERE id IN (
                SELECT id FROM orders
                WHERE status <> 'PENDING' AND cancelling_at_us IS NULL
                  AND updated_at_us < (SELECT now_us FROM clock) - $1
                  AND NOT EXISTS (SELECT 1 FROM outbox
                                  WHERE order_id = orders.id AND sent_at_us IS NULL)
                ORDER BY updated_at_us
                LIMIT $2 ",
            $skip,
            ")"
        )
    };
}
const DELETE: Statement = Statement {
    postgres: delete!("FOR UPDATE SKIP LOCKED"),
    sqlite: delete!(""),
};

impl Store {
    /// Deletes at most `limit` orders that reached their final state longer than `retention` ago, and
    /// answers how many. An order whose sale is being cancelled, or that has events to be sent, stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_ended(&self, retention: Duration, limit: i64) -> Result<u64, StoreError> {
        let statement = DELETE.on(self.database.engine());
        let retention_us = i64::try_from(retention.as_micros()).unwrap_or(i64::MAX);
        sql::write!(&self.database, |pool| {
            let deleting = sqlx::query(statement).bind(retention_us).bind(limit);
            Ok(answered(deleting.execute(pool)).await?.rows_affected())
        })
    }
}
