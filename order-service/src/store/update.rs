//! Moves an order to its next state.

use super::{Store, StoreError, again, row::StateColumns};
use crate::order::{Order, Status};

impl Store {
    /// Stores `next` if the order still stands at `from`; `false` if it has moved on meanwhile.
    ///
    /// # Errors
    /// When the database fails, or its constraints refuse the state.
    pub async fn update(&self, from: Status, next: &Order) -> Result<bool, StoreError> {
        const UPDATE: &str = "
            UPDATE orders
            SET status = $3, reason = $4, cancel_reason = $5, confirmed_at_us = $6,
                cancelled_at_us = $7, updated_at_us = greatest($8, created_at_us),
                lease_until_us = NULL
            WHERE id = $1 AND status = $2";
        let columns = StateColumns::from(&next.state);
        let update = || {
            sqlx::query(UPDATE)
                .bind(next.id.0)
                .bind(from.as_str())
                .bind(next.state.status().as_str())
                .bind(columns.reason)
                .bind(columns.cancel_reason)
                .bind(columns.confirmed_at_us)
                .bind(columns.cancelled_at_us)
                .bind(next.updated_at.as_micros())
                .execute(&self.pool)
        };
        // Repeated after a commit whose answer was lost, it finds the order moved on: the caller then
        // reads it again and finds what it wanted.
        let done = again(update).await?;
        Ok(done.rows_affected() == 1)
    }
}
