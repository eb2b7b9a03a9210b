//! Deals within the ledger's transaction.

use std::collections::BTreeMap;

use domain::{DealId, Timestamp};
use sql::{
    Transaction,
    list::{Hex, array, json, json_ids},
};

use crate::{
    ledger::{
        book::DealChange,
        deal::{DealRow, DealStatus},
    },
    store::rows::{DealColumns, convert},
};

/// The clock is read row by row, each after its lock was granted.
const LOCK_POSTGRES: &str = "
    WITH locked AS MATERIALIZED (
        SELECT d.*, p.name AS product_name FROM deals d JOIN products p ON p.id = d.product_id
        WHERE d.id = ANY ($1) ORDER BY d.id FOR UPDATE OF d
    )
    SELECT *, now_us() AS clock_us FROM locked";
const LOCK_SQLITE: &str = "
    SELECT d.*, p.name AS product_name, (SELECT now_us FROM clock) AS clock_us
    FROM deals d JOIN products p ON p.id = d.product_id
    WHERE d.id IN (SELECT unhex(value) FROM json_each($1))";

/// Differences, so that the constraints see every unit whatever was read before.
macro_rules! move_by {
    ($differences:literal) => {
        concat!(
            "
    UPDATE deals SET
        restocked = deals.restocked + by.restocked, available = deals.available + by.available,
        held = deals.held + by.held, sold = deals.sold + by.sold,
        written_off = deals.written_off + by.written_off, returned = deals.returned + by.returned,
        owed = deals.owed + by.owed
    FROM ",
            $differences,
            " WHERE deals.id = by.id"
        )
    };
}
const MOVE_POSTGRES: &str = move_by!(
    "unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::bigint[], $8::bigint[])
        AS by (id, restocked, available, held, sold, written_off, returned, owed)"
);
const MOVE_SQLITE: &str = move_by!(
    "(SELECT unhex(value ->> 0) AS id, value ->> 1 AS restocked, value ->> 2 AS available,
            value ->> 3 AS held, value ->> 4 AS sold, value ->> 5 AS written_off,
            value ->> 6 AS returned, value ->> 7 AS owed
        FROM json_each($1)) AS by"
);

/// The deals there are, locked, and the clock after the last lock; `ids` sorted.
pub(super) async fn lock(
    tx: &mut Transaction<'_>,
    ids: &[DealId],
) -> Result<(Vec<DealRow>, Timestamp), sqlx::Error> {
    let rows: Vec<DealColumns> = match tx {
        Transaction::Postgres(tx) => {
            let locking = sqlx::query_as(LOCK_POSTGRES).bind(array(ids, |id| id.0));
            locking.fetch_all(&mut **tx).await?
        }
        Transaction::Sqlite(tx) => {
            let reading = sqlx::query_as(LOCK_SQLITE).bind(json_ids(ids, |id| id.0)?);
            reading.fetch_all(&mut **tx).await?
        }
    };
    let clock_us = rows.iter().map(|row| row.clock_us).max().unwrap_or(0);
    Ok((convert(rows)?, Timestamp::from_micros(clock_us)))
}

/// Moves units of locked deals.
pub(super) async fn apply(
    tx: &mut Transaction<'_>,
    changes: &BTreeMap<DealId, DealChange>,
) -> Result<(), sqlx::Error> {
    match tx {
        Transaction::Postgres(tx) => {
            let each = |f: fn(&DealChange) -> i64| changes.values().map(f).collect::<Vec<i64>>();
            let ids: Vec<DealId> = changes.keys().copied().collect();
            sqlx::query(MOVE_POSTGRES)
                .bind(array(&ids, |id| id.0))
                .bind(each(|change| change.sums.restocked))
                .bind(each(|change| change.sums.available))
                .bind(each(|change| change.sums.held))
                .bind(each(|change| change.sums.sold))
                .bind(each(|change| change.sums.written_off))
                .bind(each(|change| change.sums.returned))
                .bind(each(|change| change.owed))
                .execute(&mut **tx)
                .await
                .map(drop)
        }
        Transaction::Sqlite(tx) => {
            let rows = json(changes.iter().map(|(id, change)| {
                let by = &change.sums;
                (
                    Hex(id.0),
                    by.restocked,
                    by.available,
                    by.held,
                    by.sold,
                    by.written_off,
                    by.returned,
                    change.owed,
                )
            }))?;
            let moving = sqlx::query(MOVE_SQLITE).bind(rows);
            moving.execute(&mut **tx).await.map(drop)
        }
    }
}

/// A product's deals are numbered under the lock of its shelf.
const OPEN: &str = "
    INSERT INTO deals (id, product_id, number, planned, status, unit_price_minor, per_user_limit,
        starts_at_us, ends_at_us, initial, restocked, available, held, sold, written_off,
        returned, owed, ended_at_us)
    SELECT $1, $2, coalesce(max(number), 0) + 1, $17, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
        $13, $14, $15, $16
    FROM deals WHERE product_id = $2";
const REPLACE_SHELF: &str = "UPDATE shelves SET deal_id = $1 WHERE product_id = $2";

const END: &str = "UPDATE deals SET status = 'ended', ended_at_us = $2 WHERE id = $1";
const FREE_SHELF: &str = "UPDATE shelves SET deal_id = NULL WHERE product_id = $2 AND deal_id = $1";

/// Inserts a deal and puts it in its shelf's place, unless it has ended `at` the same time.
pub(super) async fn open(
    tx: &mut Transaction<'_>,
    deal: &DealRow,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let sums = &deal.sums;
    let is_over = deal.status == DealStatus::Ended;
    sql::inside!(&mut *tx, |db| {
        sqlx::query(OPEN)
            .bind(deal.id.0)
            .bind(deal.product_id.0)
            .bind(deal.status.as_str())
            .bind(deal.unit_price.minor())
            .bind(deal.per_user_limit)
            .bind(deal.starts_at.as_micros())
            .bind(deal.ends_at.map(Timestamp::as_micros))
            .bind(sums.initial)
            .bind(sums.restocked)
            .bind(sums.available)
            .bind(sums.held)
            .bind(sums.sold)
            .bind(sums.written_off)
            .bind(sums.returned)
            .bind(deal.owed)
            .bind(is_over.then_some(at.as_micros()))
            .bind(deal.planned)
            .execute(db)
            .await
            .map(drop)
    })?;
    match is_over {
        true => Ok(()),
        false => replace_shelf(tx, deal).await,
    }
}

/// Lets a deal sell in its shelf's place.
pub(super) async fn replace_shelf(
    tx: &mut Transaction<'_>,
    deal: &DealRow,
) -> Result<(), sqlx::Error> {
    set_shelf(tx, REPLACE_SHELF, deal).await
}

/// Ends a deal and lets its shelf sell again.
pub(super) async fn end(
    tx: &mut Transaction<'_>,
    deal: &DealRow,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sql::inside!(&mut *tx, |db| {
        let ending = sqlx::query(END).bind(deal.id.0).bind(at.as_micros());
        ending.execute(db).await.map(drop)
    })?;
    set_shelf(tx, FREE_SHELF, deal).await
}

async fn set_shelf(
    tx: &mut Transaction<'_>,
    statement: &'static str,
    deal: &DealRow,
) -> Result<(), sqlx::Error> {
    sql::inside!(tx, |db| {
        let setting = sqlx::query(statement)
            .bind(deal.id.0)
            .bind(deal.product_id.0);
        setting.execute(db).await.map(drop)
    })
}
