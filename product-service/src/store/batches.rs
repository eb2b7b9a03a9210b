//! Batch ids, each recorded once: as taken, in the transaction that takes it, or as void.

use std::collections::HashSet;

use domain::BatchId;
use sql::{
    Transaction,
    list::{array, json_ids},
};
use uuid::Uuid;

/// Records ids as taken, or as void, unless they are recorded already; waits for a transaction that
/// is just recording one of them. Answers which were new.
const RECORD_POSTGRES: &str = "
    INSERT INTO batches (id, is_void, recorded_at_us)
    SELECT id, $2, now_us() FROM unnest($1::uuid[]) WITH ORDINALITY AS new (id, position)
    ORDER BY position
    ON CONFLICT (id) DO NOTHING
    RETURNING id, recorded_at_us";
const RECORD_SQLITE: &str = "
    INSERT INTO batches (id, is_void, recorded_at_us)
    SELECT unhex(value), $2, (SELECT now_us FROM clock) FROM json_each($1) WHERE true
    ON CONFLICT (id) DO NOTHING
    RETURNING id, recorded_at_us";

const IS_VOID: &str = "SELECT is_void FROM batches WHERE id = $1";

/// Which ids were new, and the database's clock.
pub(super) struct Recorded {
    pub(super) new: HashSet<BatchId>,
    pub(super) clock_us: i64,
}

/// Ids are locked in the order given: give them sorted.
pub(super) async fn record(
    tx: &mut Transaction<'_>,
    ids: &[BatchId],
    is_void: bool,
) -> Result<Recorded, sqlx::Error> {
    let rows: Vec<(Uuid, i64)> = match tx {
        Transaction::Postgres(tx) => {
            let ids = array(ids, |id| id.0);
            let recording = sqlx::query_as(RECORD_POSTGRES).bind(ids).bind(is_void);
            recording.fetch_all(&mut **tx).await?
        }
        Transaction::Sqlite(tx) => {
            let ids = json_ids(ids, |id| id.0)?;
            let recording = sqlx::query_as(RECORD_SQLITE).bind(ids).bind(is_void);
            recording.fetch_all(&mut **tx).await?
        }
    };
    Ok(Recorded {
        clock_us: rows
            .iter()
            .map(|(_, clock_us)| *clock_us)
            .max()
            .unwrap_or(0),
        new: rows.into_iter().map(|(id, _)| BatchId(id)).collect(),
    })
}

/// Whether an id that is recorded was recorded as void.
pub(super) async fn is_void(tx: &mut Transaction<'_>, id: BatchId) -> Result<bool, sqlx::Error> {
    sql::inside!(tx, |db| {
        sqlx::query_scalar(IS_VOID).bind(id.0).fetch_one(db).await
    })
}
