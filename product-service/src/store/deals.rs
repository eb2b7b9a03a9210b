//! Deals within the ledger's transaction.

use std::collections::BTreeMap;

use domain::{DealId, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    ledger::book::{DealChange, DealRow, DealStatus},
    store::rows::{DealColumns, convert},
};

/// The clock is read row by row, each after its lock was granted.
const LOCK: &str = "
    WITH locked AS MATERIALIZED (
        SELECT d.*, p.name AS product_name FROM deals d JOIN products p ON p.id = d.product_id
        WHERE d.id = ANY ($1) ORDER BY d.id FOR UPDATE OF d
    )
    SELECT *, now_us() AS clock_us FROM locked";

/// Differences, so that the constraints see every unit whatever was read before.
const MOVE: &str = "
    UPDATE deals SET
        restocked = deals.restocked + by.restocked, available = deals.available + by.available,
        held = deals.held + by.held, sold = deals.sold + by.sold,
        written_off = deals.written_off + by.written_off, returned = deals.returned + by.returned,
        owed = deals.owed + by.owed
    FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::bigint[])
        AS by (id, restocked, available, held, sold, written_off, returned, owed)
    WHERE deals.id = by.id";

/// The deals there are, locked, and the clock after the last lock; `ids` sorted.
pub(super) async fn lock(
    db: &mut PgConnection,
    ids: &[DealId],
) -> Result<(Vec<DealRow>, Timestamp), sqlx::Error> {
    let raw: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<DealColumns> = sqlx::query_as(LOCK).bind(raw).fetch_all(db).await?;
    let clock_us = rows.iter().map(|row| row.clock_us).max().unwrap_or(0);
    Ok((convert(rows)?, Timestamp::from_micros(clock_us)))
}

/// Moves units of locked deals.
pub(super) async fn apply(
    db: &mut PgConnection,
    changes: &BTreeMap<DealId, DealChange>,
) -> Result<(), sqlx::Error> {
    let each = |f: fn(&DealChange) -> i64| changes.values().map(f).collect::<Vec<i64>>();
    sqlx::query(MOVE)
        .bind(changes.keys().map(|id| id.0).collect::<Vec<Uuid>>())
        .bind(each(|change| change.sums.restocked))
        .bind(each(|change| change.sums.available))
        .bind(each(|change| change.sums.held))
        .bind(each(|change| change.sums.sold))
        .bind(each(|change| change.sums.written_off))
        .bind(each(|change| change.sums.returned))
        .bind(each(|change| change.owed))
        .execute(db)
        .await
        .map(drop)
}

/// A product's deals are numbered under the lock of its shelf.
const OPEN: &str = "
    WITH opened AS (
        INSERT INTO deals (id, product_id, number, planned, status, unit_price_minor, per_user_limit,
            starts_at_us, ends_at_us, initial, restocked, available, held, sold, written_off,
            returned, owed, ended_at_us)
        SELECT $1, $2, coalesce(max(number), 0) + 1, $17, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,
            $13, $14, $15, $16
        FROM deals WHERE product_id = $2
        RETURNING id, product_id, status
    )
    UPDATE shelves SET deal_id = opened.id FROM opened
    WHERE shelves.product_id = opened.product_id AND opened.status <> 'ended'";

const END: &str = "
    WITH ended AS (
        UPDATE deals SET status = 'ended', ended_at_us = $2 WHERE id = $1 RETURNING id, product_id
    )
    UPDATE shelves SET deal_id = NULL FROM ended
    WHERE shelves.product_id = ended.product_id AND shelves.deal_id = ended.id";

/// Inserts a deal and puts it in its shelf's place, unless it has ended `at` the same time.
pub(super) async fn open(
    db: &mut PgConnection,
    deal: &DealRow,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let sums = &deal.sums;
    let is_over = deal.status == DealStatus::Ended;
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
}

/// Ends a deal and lets its shelf sell again.
pub(super) async fn end(
    db: &mut PgConnection,
    deal: &DealRow,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(END)
        .bind(deal.id.0)
        .bind(at.as_micros())
        .execute(db)
        .await
        .map(drop)
}
