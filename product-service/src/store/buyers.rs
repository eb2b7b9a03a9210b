//! Buyers of limited deals. Their rows are read and written only under the lock of their deal.

use std::collections::HashMap;

use domain::{DealId, UserId};
use sqlx::PgConnection;
use uuid::Uuid;

const READ: &str = "
    SELECT deal_id, user_id, units FROM deal_buyers
    WHERE (deal_id, user_id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))";

const WRITE: &str = "
    INSERT INTO deal_buyers (deal_id, user_id, units, per_user_limit)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[])
    ON CONFLICT (deal_id, user_id) DO UPDATE SET units = excluded.units";

/// Units by buyer; who has none yet is absent.
pub(super) async fn read(
    db: &mut PgConnection,
    buyers: &[(DealId, UserId)],
) -> Result<HashMap<(DealId, UserId), i64>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid, i64)> = sqlx::query_as(READ)
        .bind(buyers.iter().map(|(deal, _)| deal.0).collect::<Vec<Uuid>>())
        .bind(buyers.iter().map(|(_, user)| user.0).collect::<Vec<Uuid>>())
        .fetch_all(db)
        .await?;
    let by_buyer = |(deal, user, units)| ((DealId(deal), UserId(user)), units);
    Ok(rows.into_iter().map(by_buyer).collect())
}

/// One buyer's new figure.
pub(super) struct BuyerUnits {
    pub(super) deal_id: DealId,
    pub(super) user_id: UserId,
    pub(super) units: i64,
    pub(super) per_user_limit: i64,
}

/// Writes the buyers' figures; a buyer stands in `rows` once.
pub(super) async fn write(db: &mut PgConnection, rows: &[BuyerUnits]) -> Result<(), sqlx::Error> {
    sqlx::query(WRITE)
        .bind(rows.iter().map(|row| row.deal_id.0).collect::<Vec<Uuid>>())
        .bind(rows.iter().map(|row| row.user_id.0).collect::<Vec<Uuid>>())
        .bind(rows.iter().map(|row| row.units).collect::<Vec<i64>>())
        .bind(
            rows.iter()
                .map(|row| row.per_user_limit)
                .collect::<Vec<i64>>(),
        )
        .execute(db)
        .await
        .map(drop)
}
