//! Shelves within the ledger's transaction.

use std::collections::BTreeMap;

use domain::{ProductId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    ledger::book::{ShelfRow, Sums},
    store::rows::{ShelfColumns, convert},
};

/// The clock is read row by row, each after its lock was granted.
const LOCK: &str = "
    WITH locked AS MATERIALIZED (
        SELECT s.*, p.name AS product_name, p.price_minor
        FROM shelves s JOIN products p ON p.id = s.product_id
        WHERE s.product_id = ANY ($1) ORDER BY s.product_id FOR UPDATE OF s
    )
    SELECT *, now_us() AS clock_us FROM locked";

const MOVE: &str = "
    UPDATE shelves SET
        restocked = shelves.restocked + by.restocked, available = shelves.available + by.available,
        held = shelves.held + by.held, sold = shelves.sold + by.sold,
        written_off = shelves.written_off + by.written_off, returned = shelves.returned + by.returned
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::bigint[])
        AS by (product_id, restocked, available, held, sold, written_off, returned)
    WHERE shelves.product_id = by.product_id";

/// The shelves there are, locked, and the clock after the last lock; `ids` sorted.
pub(super) async fn lock(
    db: &mut PgConnection,
    ids: &[ProductId],
) -> Result<(Vec<ShelfRow>, Timestamp), sqlx::Error> {
    let raw: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<ShelfColumns> = sqlx::query_as(LOCK).bind(raw).fetch_all(db).await?;
    let clock_us = rows.iter().map(|row| row.clock_us).max().unwrap_or(0);
    Ok((convert(rows)?, Timestamp::from_micros(clock_us)))
}

/// Moves units of locked shelves.
pub(super) async fn apply(
    db: &mut PgConnection,
    changes: &BTreeMap<ProductId, Sums>,
) -> Result<(), sqlx::Error> {
    let each = |f: fn(&Sums) -> i64| changes.values().map(f).collect::<Vec<i64>>();
    sqlx::query(MOVE)
        .bind(changes.keys().map(|id| id.0).collect::<Vec<Uuid>>())
        .bind(each(|by| by.restocked))
        .bind(each(|by| by.available))
        .bind(each(|by| by.held))
        .bind(each(|by| by.sold))
        .bind(each(|by| by.written_off))
        .bind(each(|by| by.returned))
        .execute(db)
        .await
        .map(drop)
}
