//! Shelves within the ledger's transaction.

use std::collections::BTreeMap;

use domain::{ProductId, Timestamp};
use sql::{
    Transaction,
    list::{Hex, array, json, json_ids},
};

use crate::{
    ledger::{book::ShelfRow, sums::Sums},
    store::rows::{ShelfColumns, convert},
};

/// The clock is read row by row, each after its lock was granted.
const LOCK_POSTGRES: &str = "
    WITH locked AS MATERIALIZED (
        SELECT s.*, p.name AS product_name, p.price_minor
        FROM shelves s JOIN products p ON p.id = s.product_id
        WHERE s.product_id = ANY ($1) ORDER BY s.product_id FOR UPDATE OF s
    )
    SELECT *, now_us() AS clock_us FROM locked";
const LOCK_SQLITE: &str = "
    SELECT s.*, p.name AS product_name, p.price_minor, (SELECT now_us FROM clock) AS clock_us
    FROM shelves s JOIN products p ON p.id = s.product_id
    WHERE s.product_id IN (SELECT unhex(value) FROM json_each($1))";

macro_rules! move_by {
    ($differences:literal) => {
        concat!(
            "
    UPDATE shelves SET
        restocked = shelves.restocked + by.restocked, available = shelves.available + by.available,
        held = shelves.held + by.held, sold = shelves.sold + by.sold,
        written_off = shelves.written_off + by.written_off, returned = shelves.returned + by.returned
    FROM ",
            $differences,
            " WHERE shelves.product_id = by.product_id"
        )
    };
}
const MOVE_POSTGRES: &str = move_by!(
    "unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::bigint[])
        AS by (product_id, restocked, available, held, sold, written_off, returned)"
);
const MOVE_SQLITE: &str = move_by!(
    "(SELECT unhex(value ->> 0) AS product_id, value ->> 1 AS restocked, value ->> 2 AS available,
            value ->> 3 AS held, value ->> 4 AS sold, value ->> 5 AS written_off,
            value ->> 6 AS returned
        FROM json_each($1)) AS by"
);

/// The shelves there are, locked, and the clock after the last lock; `ids` sorted.
pub(super) async fn lock(
    tx: &mut Transaction<'_>,
    ids: &[ProductId],
) -> Result<(Vec<ShelfRow>, Timestamp), sqlx::Error> {
    let rows: Vec<ShelfColumns> = match tx {
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

/// Moves units of locked shelves.
pub(super) async fn apply(
    tx: &mut Transaction<'_>,
    changes: &BTreeMap<ProductId, Sums>,
) -> Result<(), sqlx::Error> {
    match tx {
        Transaction::Postgres(tx) => {
            let each = |f: fn(&Sums) -> i64| changes.values().map(f).collect::<Vec<i64>>();
            let ids: Vec<ProductId> = changes.keys().copied().collect();
            sqlx::query(MOVE_POSTGRES)
                .bind(array(&ids, |id| id.0))
                .bind(each(|by| by.restocked))
                .bind(each(|by| by.available))
                .bind(each(|by| by.held))
                .bind(each(|by| by.sold))
                .bind(each(|by| by.written_off))
                .bind(each(|by| by.returned))
                .execute(&mut **tx)
                .await
                .map(drop)
        }
        Transaction::Sqlite(tx) => {
            let rows = json(changes.iter().map(|(id, by)| {
                (
                    Hex(id.0),
                    by.restocked,
                    by.available,
                    by.held,
                    by.sold,
                    by.written_off,
                    by.returned,
                )
            }))?;
            let moving = sqlx::query(MOVE_SQLITE).bind(rows);
            moving.execute(&mut **tx).await.map(drop)
        }
    }
}
