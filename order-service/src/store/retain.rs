//! Deletes orders that have ended long ago, with their keys and their sent events.

use std::time::Duration;

use super::{Store, StoreError, answered};

impl Store {
    /// Deletes at most `limit` orders that reached their final state longer than `retention` ago, and
    /// answers how many. An order whose sale is being cancelled, or that has events to be sent, stays.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn delete_ended(&self, retention: Duration, limit: i64) -> Result<u64, StoreError> {
        const DELETE: &str = "
            DELETE FROM orders WHERE id IN (
                SELECT id FROM orders
                WHERE status <> 'PENDING' AND cancelling_at_us IS NULL
                  AND updated_at_us < (SELECT now_us FROM clock) - $1
                  AND NOT EXISTS (SELECT 1 FROM outbox
                                  WHERE order_id = orders.id AND sent_at_us IS NULL)
                ORDER BY updated_at_us
                LIMIT $2
                FOR UPDATE SKIP LOCKED
            )";
        let delete = sqlx::query(DELETE)
            .bind(i64::try_from(retention.as_micros()).unwrap_or(i64::MAX))
            .bind(limit)
            .execute(&self.pool);
        Ok(answered(delete).await?.rows_affected())
    }
}
