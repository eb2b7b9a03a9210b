//! What the ledger says of orders, outside its transaction: committed rows only.

use std::{collections::HashMap, time::Duration};

use domain::{DealId, OrderId, Timestamp, UserId};
use uuid::Uuid;

use crate::{
    ledger::hold::Hold,
    store::{Store, answered, buyers, holds},
};

const NOW: &str = "SELECT now_us FROM clock";
/// The clock is asked once, in a subquery: asked for each row, it would keep the index from being used.
const OVERDUE: &str = "
    SELECT order_id FROM holds WHERE state = 'open' AND expires_at_us <= (SELECT now_us - $1 FROM clock)
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
        let reading = async {
            let clock_us: i64 = sql::read!(&self.database, |pool| {
                sqlx::query_scalar(NOW).fetch_one(pool).await?
            });
            Ok((clock_us, holds::find(&self.database, order_ids).await?))
        };
        let (clock_us, holds): (i64, Vec<Hold>) = answered(reading).await?;
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
        answered(buyers::read_committed(&self.database, wanted)).await
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
        let grace_us = i64::try_from(grace.as_micros()).unwrap_or(i64::MAX);
        let ids: Vec<Uuid> = sql::read!(&self.database, |pool| {
            let reading = sqlx::query_scalar(OVERDUE);
            let reading = reading.bind(grace_us).bind(holds_max).bind(skipped);
            answered(reading.fetch_all(pool)).await?
        });
        Ok(ids.into_iter().map(OrderId).collect())
    }

    /// How many holds are open.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open_holds(&self) -> Result<i64, sqlx::Error> {
        sql::read!(&self.database, |pool| {
            answered(sqlx::query_scalar(OPEN_HOLDS).fetch_one(pool)).await
        })
    }
}
