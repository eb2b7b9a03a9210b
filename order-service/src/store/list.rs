//! Reads a buyer's orders, newest first, a page at a time.

use domain::UserId;

use super::{
    Store, StoreError, again,
    row::{OrderRow, columns},
};
use crate::order::{Order, Status};

impl Store {
    /// `limit` orders of the buyer after the first `offset`, and how many there are in all.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn list(
        &self,
        user_id: UserId,
        status: Option<Status>,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Order>, i64), StoreError> {
        const LIST: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM orders WHERE user_id = $1 AND ($2::text IS NULL OR status = $2)
              ORDER BY created_at_us DESC, id LIMIT $3 OFFSET $4"
        );
        const COUNT: &str = "SELECT count(*) FROM orders
            WHERE user_id = $1 AND ($2::text IS NULL OR status = $2)";
        let status = status.map(Status::as_str);
        let list = || {
            sqlx::query_as(LIST)
                .bind(user_id.0)
                .bind(status)
                .bind(limit)
                .bind(offset)
                .fetch_all(&self.pool)
        };
        let rows: Vec<OrderRow> = again(list).await?;
        let count = || {
            sqlx::query_scalar(COUNT)
                .bind(user_id.0)
                .bind(status)
                .fetch_one(&self.pool)
        };
        let total: i64 = again(count).await?;
        let orders = rows.into_iter().map(Order::try_from);
        Ok((orders.collect::<Result<_, _>>()?, total))
    }
}
