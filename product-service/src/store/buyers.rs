//! Buyers of limited deals. Their rows are read and written only under the lock of their deal.

use std::collections::HashMap;

use domain::{DealId, UserId};
use sql::{
    Database, Transaction,
    list::{Hex, array, json},
};
use uuid::Uuid;

const READ_POSTGRES: &str = "
    SELECT deal_id, user_id, units FROM deal_buyers
    WHERE (deal_id, user_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))";
const READ_SQLITE: &str = "
    SELECT deal_id, user_id, units FROM deal_buyers
    WHERE (deal_id, user_id) IN (SELECT unhex(value ->> 0), unhex(value ->> 1) FROM json_each($1))";

const WRITE_POSTGRES: &str = "
    INSERT INTO deal_buyers (deal_id, user_id, units, per_user_limit)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
    ON CONFLICT (deal_id, user_id) DO UPDATE SET units = excluded.units";
const WRITE_SQLITE: &str = "
    INSERT INTO deal_buyers (deal_id, user_id, units, per_user_limit)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3 FROM json_each($1) WHERE true
    ON CONFLICT (deal_id, user_id) DO UPDATE SET units = excluded.units";

type Buyer = (DealId, UserId);

/// Units by buyer; who has none yet is absent.
pub(super) async fn read(
    tx: &mut Transaction<'_>,
    buyers: &[Buyer],
) -> Result<HashMap<Buyer, i64>, sqlx::Error> {
    match tx {
        Transaction::Postgres(tx) => read_postgres(&mut **tx, buyers).await,
        Transaction::Sqlite(tx) => read_sqlite(&mut **tx, buyers).await,
    }
}

/// As [`read`], of what is committed.
pub(super) async fn read_committed(
    database: &Database,
    buyers: &[Buyer],
) -> Result<HashMap<Buyer, i64>, sqlx::Error> {
    match database {
        Database::Postgres(server) => read_postgres(server.pool(), buyers).await,
        Database::Sqlite(file) => read_sqlite(file.reader(), buyers).await,
    }
}

async fn read_postgres(
    db: impl sqlx::PgExecutor<'_>,
    buyers: &[Buyer],
) -> Result<HashMap<Buyer, i64>, sqlx::Error> {
    let rows = sqlx::query_as(READ_POSTGRES)
        .bind(array(buyers, |(deal, _)| deal.0))
        .bind(array(buyers, |(_, user)| user.0))
        .fetch_all(db)
        .await?;
    Ok(by_buyer(rows))
}

async fn read_sqlite(
    db: impl sqlx::SqliteExecutor<'_>,
    buyers: &[Buyer],
) -> Result<HashMap<Buyer, i64>, sqlx::Error> {
    let wanted = json(buyers.iter().map(|(deal, user)| (Hex(deal.0), Hex(user.0))))?;
    let rows = sqlx::query_as(READ_SQLITE)
        .bind(wanted)
        .fetch_all(db)
        .await?;
    Ok(by_buyer(rows))
}

fn by_buyer(rows: Vec<(Uuid, Uuid, i64)>) -> HashMap<Buyer, i64> {
    let by_buyer = |(deal, user, units)| ((DealId(deal), UserId(user)), units);
    rows.into_iter().map(by_buyer).collect()
}

/// One buyer's new figure.
pub(super) struct BuyerUnits {
    pub(super) deal_id: DealId,
    pub(super) user_id: UserId,
    pub(super) units: i64,
    pub(super) per_user_limit: i64,
}

/// Writes the buyers' figures; a buyer stands in `rows` once.
pub(super) async fn write(
    tx: &mut Transaction<'_>,
    rows: &[BuyerUnits],
) -> Result<(), sqlx::Error> {
    match tx {
        Transaction::Postgres(tx) => {
            let each = |f: fn(&BuyerUnits) -> i64| rows.iter().map(f).collect::<Vec<i64>>();
            sqlx::query(WRITE_POSTGRES)
                .bind(array(rows, |row| row.deal_id.0))
                .bind(array(rows, |row| row.user_id.0))
                .bind(each(|row| row.units))
                .bind(each(|row| row.per_user_limit))
                .execute(&mut **tx)
                .await
                .map(drop)
        }
        Transaction::Sqlite(tx) => {
            let rows = json(rows.iter().map(|row| {
                let (deal, user) = (Hex(row.deal_id.0), Hex(row.user_id.0));
                (deal, user, row.units, row.per_user_limit)
            }))?;
            let writing = sqlx::query(WRITE_SQLITE).bind(rows);
            writing.execute(&mut **tx).await.map(drop)
        }
    }
}
