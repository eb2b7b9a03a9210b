//! Deletes what nobody asks for any more, a little at a time. A row that a transaction is at is left for the
//! next time, so that deleting waits for nobody, and nobody for it but for one small statement.

use std::time::Duration;

use sql::Statement;

use crate::store::{Store, answered};

/// What is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Old {
    /// Holds that have ended, tombstones among them.
    Holds,
    /// Buyers of deals that have ended.
    Buyers,
    /// Ids of batches, taken or void.
    Batches,
}

impl Old {
    /// The table.
    pub fn table(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Buyers => "deal_buyers",
            Self::Batches => "batches",
        }
    }
}

/// Of both engines: `$1` is the age in microseconds, `$2` how many rows at most. What is chosen is chosen once,
/// since a limit may choose otherwise the second time.
macro_rules! delete {
    ($chosen:literal, $from:literal) => {
        Statement {
            postgres: concat!(
                "WITH old AS MATERIALIZED (",
                $chosen,
                " FOR UPDATE SKIP LOCKED) ",
                $from
            ),
            sqlite: concat!("WITH old AS MATERIALIZED (", $chosen, ") ", $from),
        }
    };
}

const HOLDS: Statement = delete!(
    "SELECT order_id FROM holds
     WHERE ended_at_us IS NOT NULL AND ended_at_us <= (SELECT now_us - $1 FROM clock)
     ORDER BY ended_at_us LIMIT $2",
    "DELETE FROM holds WHERE order_id IN (SELECT order_id FROM old)"
);
const BUYERS: Statement = delete!(
    "SELECT deal_id, user_id FROM deal_buyers
     WHERE deal_id IN (
        SELECT id FROM deals
        WHERE status = 'ended' AND ended_at_us <= (SELECT now_us - $1 FROM clock))
     LIMIT $2",
    "DELETE FROM deal_buyers WHERE (deal_id, user_id) IN (SELECT deal_id, user_id FROM old)"
);
const BATCHES: Statement = delete!(
    "SELECT id FROM batches WHERE recorded_at_us <= (SELECT now_us - $1 FROM clock)
     ORDER BY recorded_at_us LIMIT $2",
    "DELETE FROM batches WHERE id IN (SELECT id FROM old)"
);

impl Store {
    /// Deletes at most `rows_max` rows that are older than `age`, oldest first. Answers how many; fewer than
    /// `rows_max` when there are no more, or others are at them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn delete_old(
        &self,
        old: Old,
        age: Duration,
        rows_max: i64,
    ) -> Result<u64, sqlx::Error> {
        let statement = match old {
            Old::Holds => HOLDS,
            Old::Buyers => BUYERS,
            Old::Batches => BATCHES,
        };
        let statement = statement.on(self.database.engine());
        let age_us = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        sql::write!(&self.database, |pool| {
            let deleting = sqlx::query(statement).bind(age_us).bind(rows_max);
            let deleted = answered(deleting.execute(pool)).await?;
            Ok(deleted.rows_affected())
        })
    }
}
