//! What the ledger says of orders, outside its transaction: committed rows only.

use std::{collections::HashMap, time::Duration};

use domain::{DealId, OrderId, Timestamp, UserId};
use uuid::Uuid;

use crate::{
    ledger::hold::Hold,
    store::{
        Store, answered, buyers,
        rows::{HoldColumns, convert},
    },
};

const FIND: &str = "
    SELECT order_id, user_id, state, reason, lines, created_at_us, expires_at_us, ended_at_us
    FROM holds WHERE order_id = ANY ($1)";
const NOW: &str = "SELECT now_us()";
/// The clock is asked once, in a subquery: asked for each row, it would keep the index from being used.
const OVERDUE: &str = "
    SELECT order_id FROM holds WHERE state = 'open' AND expires_at_us <= (SELECT now_us() - $1)
    ORDER BY expires_at_us LIMIT $2 OFFSET $3";
const OPEN_HOLDS: &str = "SELECT count(*) FROM holds WHERE state = 'open'";

impl Store {
    /// The holds of these orders, and the database's clock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_holds(
        &self,
        order_ids: &[OrderId],
    ) -> Result<(HashMap<OrderId, Hold>, Timestamp), sqlx::Error> {
        let raw: Vec<Uuid> = order_ids.iter().map(|id| id.0).collect();
        let reading = async {
            let mut db = self.pool.acquire().await?;
            let clock_us: i64 = sqlx::query_scalar(NOW).fetch_one(&mut *db).await?;
            let holds = sqlx::query_as(FIND).bind(raw).fetch_all(&mut *db).await?;
            Ok((clock_us, holds))
        };
        let (clock_us, rows): (i64, Vec<HoldColumns>) = answered(reading).await?;
        let holds: Vec<Hold> = convert(rows)?;
        let by_order = holds
            .into_iter()
            .map(|hold| (hold.order_id, hold))
            .collect();
        Ok((by_order, Timestamp::from_micros(clock_us)))
    }

    /// Units that buyers of limited deals hold or have bought; who has none is absent.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_buyers(
        &self,
        wanted: &[(DealId, UserId)],
    ) -> Result<HashMap<(DealId, UserId), i64>, sqlx::Error> {
        let reading = async {
            let mut db = self.pool.acquire().await?;
            buyers::read(&mut db, wanted).await
        };
        answered(reading).await
    }

    /// Open holds whose deadline passed at least `grace` ago, the oldest first, without the `skipped`
    /// oldest.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn overdue_holds(
        &self,
        grace: Duration,
        skipped: i64,
        holds_max: i64,
    ) -> Result<Vec<OrderId>, sqlx::Error> {
        let reading = sqlx::query_scalar(OVERDUE)
            .bind(i64::try_from(grace.as_micros()).unwrap_or(i64::MAX))
            .bind(holds_max)
            .bind(skipped);
        let ids: Vec<Uuid> = answered(reading.fetch_all(&self.pool)).await?;
        Ok(ids.into_iter().map(OrderId).collect())
    }

    /// How many holds are open.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open_holds(&self) -> Result<i64, sqlx::Error> {
        answered(sqlx::query_scalar(OPEN_HOLDS).fetch_one(&self.pool)).await
    }
}
