//! Finds orders that wait for somebody: pending ones whose deadline has passed, and sales whose
//! cancelling was begun.

use std::time::Duration;

use domain::{OrderId, Timestamp};
use uuid::Uuid;

use super::{Store, StoreError, answered};

impl Store {
    /// At most `limit` orders that are due, longest overdue first, leased for `lease`: until then no
    /// other call returns them. An order that is still pending afterwards is returned again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_due(&self, limit: i64, lease: Duration) -> Result<Vec<OrderId>, StoreError> {
        const LEASE: &str = "
            UPDATE orders SET lease_until_us = now_us() + $2
            WHERE id IN (
                SELECT id FROM orders
                WHERE status = 'PENDING' AND flow = 'hold'
                  AND expires_at_us <= (SELECT now_us())
                  AND (lease_until_us IS NULL OR lease_until_us <= (SELECT now_us()))
                ORDER BY expires_at_us
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            RETURNING id";
        self.lease(LEASE, limit, lease).await
    }

    /// At most `limit` orders whose sale somebody began to cancel and did not end, likewise leased.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_cancelling(
        &self,
        limit: i64,
        lease: Duration,
    ) -> Result<Vec<OrderId>, StoreError> {
        const LEASE: &str = "
            UPDATE orders SET lease_until_us = now_us() + $2
            WHERE id IN (
                SELECT id FROM orders
                WHERE cancelling_at_us IS NOT NULL
                  AND (lease_until_us IS NULL OR lease_until_us <= (SELECT now_us()))
                ORDER BY cancelling_at_us
                LIMIT $1
                FOR UPDATE SKIP LOCKED
            )
            RETURNING id";
        self.lease(LEASE, limit, lease).await
    }

    async fn lease(
        &self,
        statement: &'static str,
        limit: i64,
        lease: Duration,
    ) -> Result<Vec<OrderId>, StoreError> {
        let due = sqlx::query_scalar(statement)
            .bind(limit)
            .bind(i64::try_from(lease.as_micros()).unwrap_or(i64::MAX))
            .fetch_all(&self.pool);
        let ids: Vec<Uuid> = answered(due).await?;
        Ok(ids.into_iter().map(OrderId).collect())
    }

    /// How many sales somebody began to cancel and has not ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancelling(&self) -> Result<i64, StoreError> {
        const CANCELLING: &str = "SELECT count(*) FROM orders WHERE cancelling_at_us IS NOT NULL";
        Ok(answered(sqlx::query_scalar(CANCELLING).fetch_one(&self.pool)).await?)
    }

    /// How many orders are pending, and the earliest deadline among them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending(&self) -> Result<(i64, Option<Timestamp>), StoreError> {
        const PENDING: &str =
            "SELECT count(*), min(expires_at_us) FROM orders WHERE status = 'PENDING'";
        let (count, first): (i64, Option<i64>) =
            answered(sqlx::query_as(PENDING).fetch_one(&self.pool)).await?;
        Ok((count, first.map(Timestamp::from_micros)))
    }
}
