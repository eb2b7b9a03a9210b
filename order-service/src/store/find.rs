//! Reads orders by id.

use std::collections::HashMap;

use domain::{OrderId, Timestamp};
use sql::{
    Database,
    list::{Hex, array, json, json_ids},
};
use sqlx::FromRow;

use super::{
    Store, StoreError, again,
    row::{OrderRow, columns},
};
use crate::order::Order;

#[derive(FromRow)]
struct Dated {
    #[sqlx(flatten)]
    order: OrderRow,
    now_us: i64,
}

impl Store {
    /// The order, and the database's time of reading it.
    ///
    /// # Errors
    /// When the database fails or the row cannot be read.
    pub async fn find(&self, id: OrderId) -> Result<Option<(Order, Timestamp)>, StoreError> {
        const FIND: &str = concat!(
            "SELECT ",
            columns!(),
            ", (SELECT now_us FROM clock) AS now_us FROM orders WHERE id = $1"
        );
        let row: Option<Dated> = sql::read!(&self.database, |pool| {
            again(|| sqlx::query_as(FIND).bind(id.0).fetch_optional(pool)).await?
        });
        row.map(|row| Ok((row.order.try_into()?, Timestamp::from_micros(row.now_us))))
            .transpose()
    }

    /// Those orders that stand at another version than the one given.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn find_changed(&self, seen: &[(OrderId, i64)]) -> Result<Vec<Order>, StoreError> {
        const POSTGRES: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM orders JOIN unnest($1::uuid[], $2::bigint[]) AS seen (seen_id, seen_version)
              ON id = seen_id WHERE version <> seen_version"
        );
        const SQLITE: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM (SELECT unhex(value ->> 0) AS seen_id, value ->> 1 AS seen_version
                    FROM json_each($1)) AS seen
              JOIN orders ON id = seen_id WHERE version <> seen_version"
        );
        let rows: Vec<OrderRow> = match &self.database {
            Database::Postgres(server) => {
                let ids = array(seen, |(id, _)| id.0);
                let versions: Vec<i64> = seen.iter().map(|(_, version)| *version).collect();
                let find = || sqlx::query_as(POSTGRES).bind(&ids).bind(&versions);
                again(|| find().fetch_all(server.pool())).await?
            }
            Database::Sqlite(file) => {
                let seen = json(seen.iter().map(|(id, version)| (Hex(id.0), version)))?;
                again(|| sqlx::query_as(SQLITE).bind(&seen).fetch_all(file.reader())).await?
            }
        };
        rows.into_iter().map(Order::try_from).collect()
    }

    /// Those of `ids` that exist. No round trip when there are none to look for.
    ///
    /// # Errors
    /// When the database fails or a row cannot be read.
    pub async fn find_many(&self, ids: &[OrderId]) -> Result<HashMap<OrderId, Order>, StoreError> {
        const POSTGRES: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM orders WHERE id = ANY($1::uuid[])"
        );
        const SQLITE: &str = concat!(
            "SELECT ",
            columns!(),
            " FROM orders WHERE id IN (SELECT unhex(value) FROM json_each($1))"
        );
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let rows: Vec<OrderRow> = match &self.database {
            Database::Postgres(server) => {
                let ids = array(ids, |id| id.0);
                again(|| sqlx::query_as(POSTGRES).bind(&ids).fetch_all(server.pool())).await?
            }
            Database::Sqlite(file) => {
                let ids = json_ids(ids, |id| id.0)?;
                again(|| sqlx::query_as(SQLITE).bind(&ids).fetch_all(file.reader())).await?
            }
        };
        rows.into_iter()
            .map(|row| Ok((OrderId(row.id), row.try_into()?)))
            .collect()
    }
}
