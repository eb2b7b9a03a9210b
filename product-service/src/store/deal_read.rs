//! Deals as they stand.

use domain::{DealId, ProductId};
use sql::{
    Database,
    list::{array, json_ids},
};
use uuid::Uuid;

use crate::{
    ledger::{
        book::ShelfRow,
        deal::{DealRow, DealStatus},
    },
    store::{
        Store, answered,
        rows::{DealColumns, ShelfColumns},
    },
};

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
    SELECT d.*, p.name AS product_name, (SELECT now_us FROM clock) AS clock_us
    FROM deals d JOIN products p ON p.id = d.product_id ",
            $tail
        )
    };
}
const OPEN: &str = select!("WHERE d.status IN ('running', 'paused')");
const LATEST: &str =
    select!("WHERE d.product_id = $1 AND d.number IS NOT NULL ORDER BY d.number DESC LIMIT 1");
const BY_ID: &str = select!("WHERE d.id = $1");
const BY_IDS_POSTGRES: &str = select!("WHERE d.id = ANY ($1)");
const BY_IDS_SQLITE: &str = select!("WHERE d.id IN (SELECT unhex(value) FROM json_each($1))");
/// Ids sort by the time they were minted.
const PAGE: &str = select!(
    "WHERE ($3 IS NULL OR d.status = $3) AND ($4 IS NULL OR d.product_id = $4)
    ORDER BY d.id DESC LIMIT $1 OFFSET $2"
);
const COUNT: &str = "
    SELECT count(*) FROM deals
    WHERE ($1 IS NULL OR status = $1) AND ($2 IS NULL OR product_id = $2)";
const LATELY_ENDED: &str = "
    SELECT product_id, number FROM deals
    WHERE status = 'ended' AND number IS NOT NULL AND ended_at_us > (SELECT now_us FROM clock) - 3600000000";
const SHELF: &str = "
    SELECT s.*, p.name AS product_name, p.price_minor, (SELECT now_us FROM clock) AS clock_us
    FROM shelves s JOIN products p ON p.id = s.product_id WHERE s.product_id = $1";

impl Store {
    /// Every deal that runs or is paused.
    ///
    /// # Errors
    /// When the database does not answer, or a row was falsified.
    pub async fn open_deals(&self) -> Result<Vec<DealRow>, sqlx::Error> {
        let rows: Vec<DealColumns> = sql::read!(&self.database, |pool| {
            answered(sqlx::query_as(OPEN).fetch_all(pool)).await?
        });
        super::rows::convert(rows)
    }

    /// The product's deal that runs or is paused, or else the last one that opened.
    ///
    /// # Errors
    /// When the database does not answer, or the row was falsified.
    pub async fn latest_deal(&self, product_id: ProductId) -> Result<Option<DealRow>, sqlx::Error> {
        self.one_deal(LATEST, product_id.0).await
    }

    /// A deal by its id.
    ///
    /// # Errors
    /// When the database does not answer, or the row was falsified.
    pub async fn deal(&self, deal_id: DealId) -> Result<Option<DealRow>, sqlx::Error> {
        self.one_deal(BY_ID, deal_id.0).await
    }

    /// The deals there are of these, in no order.
    ///
    /// # Errors
    /// When the database does not answer, or a row was falsified.
    pub async fn deals(&self, ids: &[DealId]) -> Result<Vec<DealRow>, sqlx::Error> {
        let rows: Vec<DealColumns> = match &self.database {
            Database::Postgres(server) => {
                let reading = sqlx::query_as(BY_IDS_POSTGRES).bind(array(ids, |id| id.0));
                answered(reading.fetch_all(server.pool())).await?
            }
            Database::Sqlite(file) => {
                let reading = sqlx::query_as(BY_IDS_SQLITE).bind(json_ids(ids, |id| id.0)?);
                answered(reading.fetch_all(file.reader())).await?
            }
        };
        super::rows::convert(rows)
    }

    /// At most `limit` deals after the first `offset`, the newest first, and how many there are in all; of
    /// one status or one product if given.
    ///
    /// # Errors
    /// When the database does not answer, or a row was falsified.
    pub async fn list_deals(
        &self,
        limit: i64,
        offset: i64,
        status: Option<DealStatus>,
        product_id: Option<ProductId>,
    ) -> Result<(Vec<DealRow>, i64), sqlx::Error> {
        let (status, product_id) = (status.map(DealStatus::as_str), product_id.map(|id| id.0));
        let (total, rows): (_, Vec<DealColumns>) = sql::read!(&self.database, |pool| {
            let counting = sqlx::query_scalar(COUNT).bind(status).bind(product_id);
            let total = answered(counting.fetch_one(pool)).await?;
            let reading = sqlx::query_as(PAGE).bind(limit).bind(offset);
            let reading = reading.bind(status).bind(product_id);
            (total, answered(reading.fetch_all(pool)).await?)
        });
        Ok((super::rows::convert(rows)?, total))
    }

    /// Products and numbers of deals that ended within the last hour.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lately_ended_deals(&self) -> Result<Vec<(ProductId, i64)>, sqlx::Error> {
        let rows: Vec<(Uuid, i64)> = sql::read!(&self.database, |pool| {
            answered(sqlx::query_as(LATELY_ENDED).fetch_all(pool)).await?
        });
        Ok(rows
            .into_iter()
            .map(|(id, number)| (ProductId(id), number))
            .collect())
    }

    /// A product's shelf.
    ///
    /// # Errors
    /// When the database does not answer, or the row was falsified.
    pub async fn shelf(&self, product_id: ProductId) -> Result<Option<ShelfRow>, sqlx::Error> {
        let row: Option<ShelfColumns> = sql::read!(&self.database, |pool| {
            let reading = sqlx::query_as(SHELF).bind(product_id.0);
            answered(reading.fetch_optional(pool)).await?
        });
        Ok(row.map(ShelfRow::try_from).transpose()?)
    }

    async fn one_deal(
        &self,
        statement: &'static str,
        id: Uuid,
    ) -> Result<Option<DealRow>, sqlx::Error> {
        let row: Option<DealColumns> = sql::read!(&self.database, |pool| {
            let reading = sqlx::query_as(statement).bind(id);
            answered(reading.fetch_optional(pool)).await?
        });
        Ok(row.map(DealRow::try_from).transpose()?)
    }
}
