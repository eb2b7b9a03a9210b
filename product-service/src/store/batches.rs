//! Batch ids, each recorded once: as taken, in the transaction that takes it, or as void.

use std::collections::HashSet;

use domain::BatchId;
use sqlx::PgConnection;
use uuid::Uuid;

/// Records ids as taken, or as void, unless they are recorded already; waits for a transaction that
/// is just recording one of them. Answers which were new.
const RECORD: &str = "
    INSERT INTO batches (id, is_void, recorded_at_us)
    SELECT id, $2, now_us() FROM unnest($1::uuid[]) WITH ORDINALITY AS new (id, position)
    ORDER BY position
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
    db: &mut PgConnection,
    ids: &[BatchId],
    is_void: bool,
) -> Result<Recorded, sqlx::Error> {
    let raw: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(RECORD)
        .bind(raw)
        .bind(is_void)
        .fetch_all(db)
        .await?;
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
pub(super) async fn is_void(db: &mut PgConnection, id: BatchId) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(IS_VOID).bind(id.0).fetch_one(db).await
}
