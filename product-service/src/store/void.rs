//! Voiding a batch of the gate whose process died before the ledger.

use domain::{BatchId, DealId};
use sql::Transaction;

use crate::store::{Store, answered, batches};

/// What the ledger knows of a batch now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Voided {
    /// Recorded as void, by us or before; otherwise it was taken.
    pub is_void: bool,
    /// All that the deal's gate was ever owed.
    pub owed: i64,
}

const OWE: &str = "
    UPDATE deals SET owed = owed + $2 WHERE id = $1 AND status IN ('running', 'paused')";
const OWED: &str = "
    SELECT (SELECT is_void FROM batches WHERE id = $1), owed FROM deals WHERE id = $2";

impl Store {
    /// Records the batch as void and owes the gate its units, unless it is recorded already.
    ///
    /// # Errors
    /// When the database does not commit, or the deal does not exist; nothing has happened then, or
    /// all of it: voiding again is harmless.
    pub async fn void(
        &self,
        batch_id: BatchId,
        deal_id: DealId,
        units: i64,
    ) -> Result<Voided, sqlx::Error> {
        answered(self.record_void(batch_id, deal_id, units)).await
    }

    async fn record_void(
        &self,
        batch_id: BatchId,
        deal_id: DealId,
        units: i64,
    ) -> Result<Voided, sqlx::Error> {
        let mut tx = self.database.begin().await?;
        let recorded = batches::record(&mut tx, &[batch_id], true).await?;
        if recorded.new.contains(&batch_id) {
            owe(&mut tx, deal_id, units).await?;
        }
        let (is_void, owed): (Option<bool>, i64) = sql::inside!(&mut tx, |db| {
            let reading = sqlx::query_as(OWED).bind(batch_id.0).bind(deal_id.0);
            reading.fetch_one(db).await?
        });
        tx.commit().await?;
        Ok(Voided {
            is_void: is_void.unwrap_or(false),
            owed,
        })
    }
}

async fn owe(tx: &mut Transaction<'_>, deal_id: DealId, units: i64) -> Result<(), sqlx::Error> {
    sql::inside!(tx, |db| {
        sqlx::query(OWE)
            .bind(deal_id.0)
            .bind(units.max(0))
            .execute(db)
            .await
            .map(drop)
    })
}
