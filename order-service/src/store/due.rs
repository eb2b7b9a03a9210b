//! Finds orders that wait for somebody: pending ones whose deadline has passed, and sales whose
//! cancelling was begun.

use std::time::Duration;

use domain::{OrderId, Timestamp};
use sql::Statement;
use uuid::Uuid;

use super::{Store, StoreError, answered};

/// Leases the orders of a condition; `$skip` passes over those that another replica is just leasing.
macro_rules! lease {
    ($waits:literal, $order:literal, $skip:literal) => {
        concat!(
            "UPDATE orders SET lease_until_us = (SELECT now_us FROM clock) + $2
             WHERE id IN (
                SELECT id FROM orders
                WHERE ",
            $waits,
            " AND (lease_until_us IS NULL OR lease_until_us <= (SELECT now_us FROM clock))
                ORDER BY ",
            $order,
            " LIMIT $1 ",
            $skip,
            ") RETURNING id"
        )
    };
}

/// The statement for each engine: a file has one writer, who meets nobody.
macro_rules! leases {
    ($waits:literal, $order:literal) => {
        Statement {
            postgres: lease!($waits, $order, "FOR UPDATE SKIP LOCKED"),
            sqlite: lease!($waits, $order, ""),
        }
    };
}

impl Store {
    /// At most `limit` orders that are due, longest overdue first, leased for `lease`: until then no
    /// other call returns them. An order that is still pending afterwards is returned again.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn lease_due(&self, limit: i64, lease: Duration) -> Result<Vec<OrderId>, StoreError> {
        const DUE: Statement = leases!(
            "status = 'PENDING' AND flow = 'hold'
             AND expires_at_us <= (SELECT now_us FROM clock)",
            "expires_at_us"
        );
        self.lease(DUE, limit, lease).await
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
        const CANCELLING: Statement = leases!("cancelling_at_us IS NOT NULL", "cancelling_at_us");
        self.lease(CANCELLING, limit, lease).await
    }

    async fn lease(
        &self,
        statement: Statement,
        limit: i64,
        lease: Duration,
    ) -> Result<Vec<OrderId>, StoreError> {
        let statement = statement.on(self.database.engine());
        let lease_us = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
        let ids: Vec<Uuid> = sql::write!(&self.database, |pool| {
            let leasing = sqlx::query_scalar(statement).bind(limit).bind(lease_us);
            answered(leasing.fetch_all(pool)).await?
        });
        Ok(ids.into_iter().map(OrderId).collect())
    }

    /// How many sales somebody began to cancel and has not ended.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn cancelling(&self) -> Result<i64, StoreError> {
        const CANCELLING: &str = "SELECT count(*) FROM orders WHERE cancelling_at_us IS NOT NULL";
        sql::read!(&self.database, |pool| {
            Ok(answered(sqlx::query_scalar(CANCELLING).fetch_one(pool)).await?)
        })
    }

    /// How many orders are pending, and the earliest deadline among them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pending(&self) -> Result<(i64, Option<Timestamp>), StoreError> {
        const PENDING: &str =
            "SELECT count(*), min(expires_at_us) FROM orders WHERE status = 'PENDING'";
        let (count, first): (i64, Option<i64>) = sql::read!(&self.database, |pool| {
            answered(sqlx::query_as(PENDING).fetch_one(pool)).await?
        });
        Ok((count, first.map(Timestamp::from_micros)))
    }
}
