//! Reads a buyer's orders, newest first, a page at a time.

use domain::{Timestamp, UserId};

use super::{
    Store, StoreError, again,
    row::{OrderRow, columns},
};
use crate::order::{Order, Status};

/// Which of a buyer's orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Of one of these; none: of any.
    pub statuses: Vec<Status>,
    /// Placed then or later.
    pub created_from: Option<Timestamp>,
    /// Placed before.
    pub created_to: Option<Timestamp>,
}

/// As many parameters as there are statuses, so that one statement serves any choice of them.
macro_rules! matching {
    () => {
        " FROM orders
          WHERE user_id = $1 AND created_at_us >= $2 AND created_at_us < $3
            AND status IN ($4, $5, $6, $7)"
    };
}

impl Store {
    /// `limit` orders of the buyer after the first `offset`, and how many there are in all.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn list(
        &self,
        user_id: UserId,
        filter: &Filter,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Order>, i64), StoreError> {
        const LIST: &str = concat!(
            "SELECT ",
            columns!(),
            matching!(),
            " ORDER BY created_at_us DESC, id LIMIT $8 OFFSET $9"
        );
        const COUNT: &str = concat!("SELECT count(*)", matching!());
        let [first, second, third, fourth] = wanted(&filter.statuses);
        let from = filter.created_from.map_or(0, Timestamp::as_micros);
        let to = filter.created_to.map_or(i64::MAX, Timestamp::as_micros);
        let (rows, total): (Vec<OrderRow>, i64) = sql::read!(&self.database, |pool| {
            let list = || {
                sqlx::query_as(LIST)
                    .bind(user_id.0)
                    .bind(from)
                    .bind(to)
                    .bind(first)
                    .bind(second)
                    .bind(third)
                    .bind(fourth)
                    .bind(limit)
                    .bind(offset)
                    .fetch_all(pool)
            };
            let count = || {
                sqlx::query_scalar(COUNT)
                    .bind(user_id.0)
                    .bind(from)
                    .bind(to)
                    .bind(first)
                    .bind(second)
                    .bind(third)
                    .bind(fourth)
                    .fetch_one(pool)
            };
            (again(list).await?, again(count).await?)
        });
        let orders = rows.into_iter().map(Order::try_from);
        Ok((orders.collect::<Result<_, _>>()?, total))
    }
}

/// The statuses as the statement takes them: one that is not wanted gives its place to one that is.
fn wanted(statuses: &[Status]) -> [&'static str; Status::ALL.len()] {
    let stand_in = statuses.first().copied();
    Status::ALL.map(|status| {
        let is_wanted = statuses.contains(&status);
        let status = if is_wanted { Some(status) } else { stand_in }.unwrap_or(status);
        status.as_str()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_of_statuses_fills_the_statements_places() {
        let all = Status::ALL.map(Status::as_str);
        assert_eq!(wanted(&[]), all);
        assert_eq!(wanted(&Status::ALL), all);
        assert_eq!(
            wanted(&[Status::Cancelled, Status::Pending]),
            ["PENDING", "CANCELLED", "CANCELLED", "CANCELLED"]
        );
    }
}
