//! Moves an order to its next state.

use std::time::Duration;

use super::{Store, StoreError, again, row::StateColumns};
use crate::order::{Order, State};

/// Who begins to cancel a sale has so long to end it before others go on with it.
const CANCELLING_LEASE: Duration = Duration::from_secs(10);

impl Store {
    /// Stores `next` if the order still stands at `from`; `false` if it has moved on meanwhile.
    ///
    /// # Errors
    /// When the database fails, or its constraints refuse the state.
    pub async fn update(&self, from: &Order, next: &Order) -> Result<bool, StoreError> {
        const UPDATE: &str = "
            UPDATE orders
            SET status = $4, reason = $5, cancel_reason = $6, confirmed_at_us = $7,
                cancelled_at_us = $8, cancelling_at_us = $9, cancelling_reason = $10,
                updated_at_us = CASE WHEN $11 > updated_at_us THEN $11 ELSE updated_at_us END, version = $12,
                lease_until_us = (SELECT now_us FROM clock) + $13
            WHERE id = $1 AND version = $2 AND status = $3";
        let columns = StateColumns::from(&next.state);
        // Repeated after a commit whose answer was lost, it finds the order moved on: the caller then
        // reads it again and finds what it wanted.
        let rows = sql::write!(&self.database, |pool| {
            let update = || {
                sqlx::query(UPDATE)
                    .bind(next.id.0)
                    .bind(from.version)
                    .bind(from.state.status().as_str())
                    .bind(next.state.status().as_str())
                    .bind(columns.reason)
                    .bind(columns.cancel_reason)
                    .bind(columns.confirmed_at_us)
                    .bind(columns.cancelled_at_us)
                    .bind(columns.cancelling_at_us)
                    .bind(columns.cancelling_reason)
                    .bind(next.updated_at.as_micros())
                    .bind(next.version)
                    .bind(lease_us(&next.state))
                    .execute(pool)
            };
            again(update).await?.rows_affected()
        });
        Ok(rows == 1)
    }
}

/// `NULL`: whoever led the order here is done with it.
fn lease_us(state: &State) -> Option<i64> {
    let is_cancelling = matches!(state, State::Cancelling { .. });
    is_cancelling.then(|| i64::try_from(CANCELLING_LEASE.as_micros()).unwrap_or(i64::MAX))
}
