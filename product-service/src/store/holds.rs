//! Holds within the ledger's transaction.

use domain::{OrderId, Timestamp};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use crate::{
    ledger::hold::{Hold, HoldState},
    store::rows::{HoldColumns, StoredLine, convert},
};

const LOCK: &str = "
    SELECT order_id, user_id, state, reason, lines, created_at_us, expires_at_us, ended_at_us
    FROM holds WHERE order_id = ANY ($1) ORDER BY order_id FOR UPDATE";

const EXISTS: &str = "SELECT EXISTS (SELECT FROM holds WHERE order_id = ANY ($1))";

const INSERT: &str = "
    INSERT INTO holds (order_id, user_id, state, reason, lines, created_at_us, expires_at_us, ended_at_us)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[],
                         $6::bigint[], $7::bigint[], $8::bigint[])
    ON CONFLICT (order_id) DO NOTHING";

const END: &str = "
    UPDATE holds SET state = ended.state, reason = ended.reason, ended_at_us = ended.ended_at_us
    FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
        AS ended (order_id, state, reason, ended_at_us)
    WHERE holds.order_id = ended.order_id
      AND (holds.state = 'open' OR (holds.state = 'sold' AND ended.state = 'returned'))";

/// The holds there are, locked; `order_ids` sorted.
pub(super) async fn lock(
    db: &mut PgConnection,
    order_ids: &[OrderId],
) -> Result<Vec<Hold>, sqlx::Error> {
    let raw: Vec<Uuid> = order_ids.iter().map(|id| id.0).collect();
    let rows: Vec<HoldColumns> = sqlx::query_as(LOCK).bind(raw).fetch_all(db).await?;
    convert(rows)
}

/// Whether any of the orders has a hold by now.
pub(super) async fn exists(
    db: &mut PgConnection,
    order_ids: &[OrderId],
) -> Result<bool, sqlx::Error> {
    let raw: Vec<Uuid> = order_ids.iter().map(|id| id.0).collect();
    sqlx::query_scalar(EXISTS).bind(raw).fetch_one(db).await
}

/// Inserts holds, sorted by order id. Answers how many were new: fewer when another replica took one
/// of the ids since the locks were taken.
pub(super) async fn insert(db: &mut PgConnection, holds: &[&Hold]) -> Result<u64, sqlx::Error> {
    let each = |f: fn(&Hold) -> Option<i64>| holds.iter().map(|hold| f(hold)).collect::<Vec<_>>();
    let inserted = sqlx::query(INSERT)
        .bind(holds.iter().map(|h| h.order_id.0).collect::<Vec<Uuid>>())
        .bind(
            holds
                .iter()
                .map(|h| h.user_id.map(|id| id.0))
                .collect::<Vec<_>>(),
        )
        .bind(holds.iter().map(|h| state(h)).collect::<Vec<_>>())
        .bind(holds.iter().map(|h| reason(h)).collect::<Vec<_>>())
        .bind(holds.iter().map(|h| Json(lines(h))).collect::<Vec<_>>())
        .bind(each(|h| Some(h.created_at.as_micros())))
        .bind(each(|h| Some(h.expires_at.as_micros())))
        .bind(each(ended_at_us))
        .execute(db)
        .await?;
    Ok(inserted.rows_affected())
}

/// Ends open holds, and takes sales back. Answers how many.
pub(super) async fn end(db: &mut PgConnection, holds: &[&Hold]) -> Result<u64, sqlx::Error> {
    let ended = sqlx::query(END)
        .bind(holds.iter().map(|h| h.order_id.0).collect::<Vec<Uuid>>())
        .bind(holds.iter().map(|h| state(h)).collect::<Vec<_>>())
        .bind(holds.iter().map(|h| reason(h)).collect::<Vec<_>>())
        .bind(holds.iter().map(|h| ended_at_us(h)).collect::<Vec<_>>())
        .execute(db)
        .await?;
    Ok(ended.rows_affected())
}

fn state(hold: &Hold) -> &'static str {
    match hold.state {
        HoldState::Open => "open",
        HoldState::Sold { .. } => "sold",
        HoldState::Released { .. } => "released",
        HoldState::Returned { .. } => "returned",
    }
}

fn reason(hold: &Hold) -> Option<&str> {
    match &hold.state {
        HoldState::Released { reason, .. } | HoldState::Returned { reason, .. } => Some(reason),
        HoldState::Open | HoldState::Sold { .. } => None,
    }
}

fn ended_at_us(hold: &Hold) -> Option<i64> {
    match &hold.state {
        HoldState::Open => None,
        HoldState::Sold { at }
        | HoldState::Released { at, .. }
        | HoldState::Returned { at, .. } => Some(Timestamp::as_micros(*at)),
    }
}

fn lines(hold: &Hold) -> Vec<StoredLine> {
    hold.lines.iter().map(StoredLine::from).collect()
}
