//! Deals before they open, and when they are due.
//!
//! The statements of the ledger's transaction come first, then what is read outside of it.

use std::time::Duration;

use domain::{DealId, ProductId, Timestamp};
use sql::{
    Transaction,
    list::{array, json_ids},
};
use uuid::Uuid;

use crate::{
    ledger::deal::{DealRow, DealStatus, Window},
    store::{Store, answered, deals},
};

macro_rules! windows {
    ($product:literal) => {
        concat!(
            "
    SELECT product_id, id, starts_at_us, ends_at_us FROM deals
    WHERE status IN ('scheduled', 'running', 'paused') AND product_id ",
            $product
        )
    };
}
const WINDOWS_POSTGRES: &str = windows!("= ANY ($1)");
const WINDOWS_SQLITE: &str = windows!("IN (SELECT unhex(value) FROM json_each($1))");

const SCHEDULE: &str = "
    INSERT INTO deals (id, product_id, planned, status, unit_price_minor, per_user_limit, starts_at_us,
        ends_at_us, initial, available, ended_at_us)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9)";

/// A scheduled deal has no figures yet, so these are written as they are.
const START: &str = "
    UPDATE deals SET
        number = (SELECT coalesce(max(number), 0) + 1 FROM deals WHERE product_id = $2),
        status = $3, initial = $4, restocked = $5, available = $6, held = $7, sold = $8,
        written_off = $9, returned = $10, owed = $11, ended_at_us = $12
    WHERE id = $1";

const SET: &str = "UPDATE deals SET status = $2 WHERE id = $1";

const DUE: &str = "
    SELECT id, status, due_at_us, (SELECT now_us FROM clock) AS clock_us FROM (
        SELECT id, status,
            CASE status WHEN 'scheduled' THEN starts_at_us ELSE ends_at_us END AS due_at_us
        FROM deals WHERE status IN ('scheduled', 'running', 'paused')
    ) AS waiting
    WHERE due_at_us <= (SELECT now_us + $1 FROM clock)
    ORDER BY due_at_us, id";

/// When the deals of these products that have not ended are to sell; read under the locks of their shelves.
pub(super) async fn windows(
    tx: &mut Transaction<'_>,
    product_ids: &[ProductId],
) -> Result<Vec<((ProductId, DealId), Window)>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, i64, Option<i64>)> = match tx {
        Transaction::Postgres(tx) => {
            let reading = sqlx::query_as(WINDOWS_POSTGRES).bind(array(product_ids, |id| id.0));
            reading.fetch_all(&mut **tx).await?
        }
        Transaction::Sqlite(tx) => {
            let reading = sqlx::query_as(WINDOWS_SQLITE).bind(json_ids(product_ids, |id| id.0)?);
            reading.fetch_all(&mut **tx).await?
        }
    };
    let window = |(product_id, deal_id, starts_at_us, ends_at_us): (_, _, _, Option<i64>)| {
        let window = Window {
            starts_at: Timestamp::from_micros(starts_at_us),
            ends_at: ends_at_us.map(Timestamp::from_micros),
        };
        ((ProductId(product_id), DealId(deal_id)), window)
    };
    Ok(rows.into_iter().map(window).collect())
}

/// Inserts a deal that has not opened, and may be over already.
pub(super) async fn schedule(tx: &mut Transaction<'_>, deal: &DealRow) -> Result<(), sqlx::Error> {
    sql::inside!(tx, |db| {
        sqlx::query(SCHEDULE)
            .bind(deal.id.0)
            .bind(deal.product_id.0)
            .bind(deal.planned)
            .bind(deal.status.as_str())
            .bind(deal.unit_price.minor())
            .bind(deal.per_user_limit)
            .bind(deal.starts_at.as_micros())
            .bind(deal.ends_at.map(Timestamp::as_micros))
            .bind(deal.ended_at.map(Timestamp::as_micros))
            .execute(db)
            .await
            .map(drop)
    })
}

/// Gives a deal that was scheduled its number and puts it in its shelf's place, unless it is over already.
pub(super) async fn start(tx: &mut Transaction<'_>, deal: &DealRow) -> Result<(), sqlx::Error> {
    let sums = &deal.sums;
    sql::inside!(&mut *tx, |db| {
        sqlx::query(START)
            .bind(deal.id.0)
            .bind(deal.product_id.0)
            .bind(deal.status.as_str())
            .bind(sums.initial)
            .bind(sums.restocked)
            .bind(sums.available)
            .bind(sums.held)
            .bind(sums.sold)
            .bind(sums.written_off)
            .bind(sums.returned)
            .bind(deal.owed)
            .bind(deal.ended_at.map(Timestamp::as_micros))
            .execute(db)
            .await
            .map(drop)
    })?;
    match deal.status {
        DealStatus::Ended => Ok(()),
        _ => deals::replace_shelf(tx, deal).await,
    }
}

/// Lets a deal sell, or not.
pub(super) async fn set(tx: &mut Transaction<'_>, deal: &DealRow) -> Result<(), sqlx::Error> {
    sql::inside!(tx, |db| {
        sqlx::query(SET)
            .bind(deal.id.0)
            .bind(deal.status.as_str())
            .execute(db)
            .await
            .map(drop)
    })
}

/// A deal whose time has come, or is near.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueDeal {
    /// The deal.
    pub id: DealId,
    /// It is to open; otherwise it is to end.
    pub is_to_open: bool,
    /// When.
    pub due_at: Timestamp,
    /// The database's clock.
    pub now: Timestamp,
}

impl Store {
    /// Deals that are to open or to end within `horizon` from now, the most overdue first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn due_deals(&self, horizon: Duration) -> Result<Vec<DueDeal>, sqlx::Error> {
        let horizon_us = i64::try_from(horizon.as_micros()).unwrap_or(i64::MAX);
        let rows: Vec<(Uuid, String, i64, i64)> = sql::read!(&self.database, |pool| {
            let reading = sqlx::query_as(DUE).bind(horizon_us);
            answered(reading.fetch_all(pool)).await?
        });
        let due = |(id, status, due_at_us, clock_us): (_, String, _, _)| DueDeal {
            id: DealId(id),
            is_to_open: status == DealStatus::Scheduled.as_str(),
            due_at: Timestamp::from_micros(due_at_us),
            now: Timestamp::from_micros(clock_us),
        };
        Ok(rows.into_iter().map(due).collect())
    }
}
