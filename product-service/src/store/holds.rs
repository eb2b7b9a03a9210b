//! Holds within the ledger's transaction, and as they are committed.

use domain::OrderId;
use serde::Serialize;
use sql::{
    Database, Transaction,
    list::{Hex, array, json, json_ids},
};
use sqlx::types::Json;
use uuid::Uuid;

use crate::{
    ledger::hold::{Hold, HoldEnd, HoldState},
    store::rows::{HoldColumns, StoredLine, convert},
};

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT order_id, user_id, state, reason, lines, created_at_us, expires_at_us, ended_at_us
    FROM holds WHERE order_id ",
            $tail
        )
    };
}
const LOCK_POSTGRES: &str = select!("= ANY ($1) ORDER BY order_id FOR UPDATE");
const FIND_POSTGRES: &str = select!("= ANY ($1)");
const FIND_SQLITE: &str = select!("IN (SELECT unhex(value) FROM json_each($1))");

const EXISTS_POSTGRES: &str = "SELECT EXISTS (SELECT FROM holds WHERE order_id = ANY ($1))";

macro_rules! insert {
    ($rows:literal) => {
        concat!(
            "
    INSERT INTO holds (order_id, user_id, state, reason, lines, created_at_us, expires_at_us, ended_at_us)
    SELECT ",
            $rows,
            " ON CONFLICT (order_id) DO NOTHING"
        )
    };
}
const INSERT_POSTGRES: &str = insert!(
    "* FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::jsonb[],
                         $6::bigint[], $7::bigint[], $8::bigint[])"
);
const INSERT_SQLITE: &str = insert!(
    "unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value -> 4,
           value ->> 5, value ->> 6, value ->> 7
    FROM json_each($1) WHERE true"
);

macro_rules! end {
    ($rows:literal) => {
        concat!(
            "
    UPDATE holds SET state = ended.state, reason = ended.reason, ended_at_us = ended.ended_at_us
    FROM ",
            $rows,
            "
    WHERE holds.order_id = ended.order_id
      AND (holds.state = 'open' OR (holds.state = 'sold' AND ended.state = 'returned'))"
        )
    };
}
const END_POSTGRES: &str = end!(
    "unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])
        AS ended (order_id, state, reason, ended_at_us)"
);
const END_SQLITE: &str = end!(
    "(SELECT unhex(value ->> 0) AS order_id, value ->> 1 AS state, value ->> 2 AS reason,
            value ->> 3 AS ended_at_us
        FROM json_each($1)) AS ended"
);

/// The holds there are, locked; `order_ids` sorted.
pub(super) async fn lock(
    tx: &mut Transaction<'_>,
    order_ids: &[OrderId],
) -> Result<Vec<Hold>, sqlx::Error> {
    let rows: Vec<HoldColumns> = match tx {
        Transaction::Postgres(tx) => {
            let locking = sqlx::query_as(LOCK_POSTGRES).bind(array(order_ids, |id| id.0));
            locking.fetch_all(&mut **tx).await?
        }
        Transaction::Sqlite(tx) => {
            let reading = sqlx::query_as(FIND_SQLITE).bind(json_ids(order_ids, |id| id.0)?);
            reading.fetch_all(&mut **tx).await?
        }
    };
    convert(rows)
}

/// The holds there are, as they are committed.
pub(super) async fn find(
    database: &Database,
    order_ids: &[OrderId],
) -> Result<Vec<Hold>, sqlx::Error> {
    let rows: Vec<HoldColumns> = match database {
        Database::Postgres(server) => {
            let finding = sqlx::query_as(FIND_POSTGRES).bind(array(order_ids, |id| id.0));
            finding.fetch_all(server.pool()).await?
        }
        Database::Sqlite(file) => {
            let finding = sqlx::query_as(FIND_SQLITE).bind(json_ids(order_ids, |id| id.0)?);
            finding.fetch_all(file.reader()).await?
        }
    };
    convert(rows)
}

/// Whether another replica has given any of the orders a hold since the locks were taken. On SQLite
/// nobody can have written meanwhile.
pub(super) async fn exists(
    tx: &mut Transaction<'_>,
    order_ids: &[OrderId],
) -> Result<bool, sqlx::Error> {
    match tx {
        Transaction::Postgres(tx) => {
            let looking = sqlx::query_scalar(EXISTS_POSTGRES).bind(array(order_ids, |id| id.0));
            looking.fetch_one(&mut **tx).await
        }
        Transaction::Sqlite(_) => Ok(false),
    }
}

/// Inserts holds, sorted by order id. Answers how many were new: fewer when another replica took one
/// of the ids since the locks were taken.
pub(super) async fn insert(tx: &mut Transaction<'_>, holds: &[&Hold]) -> Result<u64, sqlx::Error> {
    match tx {
        Transaction::Postgres(tx) => {
            let each =
                |f: fn(&Hold) -> Option<i64>| holds.iter().map(|hold| f(hold)).collect::<Vec<_>>();
            let users = holds.iter().map(|h| h.user_id.map(|id| id.0));
            let inserted = sqlx::query(INSERT_POSTGRES)
                .bind(array(holds, |hold| hold.order_id.0))
                .bind(users.collect::<Vec<Option<Uuid>>>())
                .bind(holds.iter().map(|h| state(h)).collect::<Vec<_>>())
                .bind(holds.iter().map(|h| reason(h)).collect::<Vec<_>>())
                .bind(holds.iter().map(|h| Json(lines(h))).collect::<Vec<_>>())
                .bind(each(|h| Some(h.created_at.as_micros())))
                .bind(each(|h| Some(h.expires_at.as_micros())))
                .bind(each(ended_at_us))
                .execute(&mut **tx)
                .await?;
            Ok(inserted.rows_affected())
        }
        Transaction::Sqlite(tx) => {
            let rows = json(holds.iter().map(|hold| NewRow::from(*hold)))?;
            let inserting = sqlx::query(INSERT_SQLITE).bind(rows);
            Ok(inserting.execute(&mut **tx).await?.rows_affected())
        }
    }
}

/// A hold's columns, in the order in which the statement counts them.
#[derive(Serialize)]
struct NewRow<'a>(
    Hex,
    Option<Hex>,
    &'static str,
    Option<&'a str>,
    Vec<StoredLine>,
    i64,
    i64,
    Option<i64>,
);

impl<'a> From<&'a Hold> for NewRow<'a> {
    fn from(hold: &'a Hold) -> Self {
        Self(
            Hex(hold.order_id.0),
            hold.user_id.map(|id| Hex(id.0)),
            state(hold),
            reason(hold),
            lines(hold),
            hold.created_at.as_micros(),
            hold.expires_at.as_micros(),
            ended_at_us(hold),
        )
    }
}

/// Ends open holds, and takes sales back. Answers how many.
pub(super) async fn end(tx: &mut Transaction<'_>, holds: &[&Hold]) -> Result<u64, sqlx::Error> {
    match tx {
        Transaction::Postgres(tx) => {
            let ended = sqlx::query(END_POSTGRES)
                .bind(array(holds, |hold| hold.order_id.0))
                .bind(holds.iter().map(|h| state(h)).collect::<Vec<_>>())
                .bind(holds.iter().map(|h| reason(h)).collect::<Vec<_>>())
                .bind(holds.iter().map(|h| ended_at_us(h)).collect::<Vec<_>>())
                .execute(&mut **tx)
                .await?;
            Ok(ended.rows_affected())
        }
        Transaction::Sqlite(tx) => {
            let rows = json(holds.iter().map(|h| {
                let id = Hex(h.order_id.0);
                (id, state(h), reason(h), ended_at_us(h))
            }))?;
            let ending = sqlx::query(END_SQLITE).bind(rows);
            Ok(ending.execute(&mut **tx).await?.rows_affected())
        }
    }
}

fn state(hold: &Hold) -> &'static str {
    match hold.state {
        HoldState::Open => "open",
        HoldState::Ended(HoldEnd::Sold { .. }) => "sold",
        HoldState::Ended(HoldEnd::Released { .. }) => "released",
        HoldState::Ended(HoldEnd::Returned { .. }) => "returned",
    }
}

fn end_of(hold: &Hold) -> Option<&HoldEnd> {
    match &hold.state {
        HoldState::Open => None,
        HoldState::Ended(end) => Some(end),
    }
}

fn reason(hold: &Hold) -> Option<&str> {
    end_of(hold)?.reason()
}

fn ended_at_us(hold: &Hold) -> Option<i64> {
    Some(end_of(hold)?.at().as_micros())
}

fn lines(hold: &Hold) -> Vec<StoredLine> {
    hold.lines.iter().map(StoredLine::from).collect()
}
