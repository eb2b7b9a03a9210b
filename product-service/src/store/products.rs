//! The catalogue's rows.

use domain::{DealId, Money, ProductId, Timestamp};
use sql::{
    Database,
    list::{array, json_ids},
};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    catalog::{
        check::{CheckedChange, CheckedProduct},
        product::{Product, ProductDeal},
    },
    ledger::deal::DealStatus,
    store::{Store, rows::SumsColumns},
};

const CREATE: &str = "
    INSERT INTO products (id, name, description, category, price_minor, created_at_us, updated_at_us)
    SELECT $1, $2, $3, $4, $5, now_us, now_us FROM clock";
const STOCK: &str = "INSERT INTO shelves (product_id, initial, available) VALUES ($1, $2, $2)";

const UPDATE: &str = "
    UPDATE products SET
        name = coalesce($2, name), description = coalesce($3, description),
        category = coalesce($4, category), price_minor = coalesce($5, price_minor),
        updated_at_us = (
            SELECT CASE WHEN updated_at_us < now_us THEN now_us ELSE updated_at_us END FROM clock)
    WHERE id = $1";

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
    SELECT p.id, p.name, p.description, p.category, p.price_minor, p.created_at_us, p.updated_at_us,
        s.initial, s.restocked, s.available, s.held, s.sold, s.written_off, s.returned,
        d.id AS deal_id, d.status AS deal_status, d.unit_price_minor AS deal_price_minor,
        d.available AS deal_available, d.ends_at_us AS deal_ends_at_us,
        d.status = 'running' AND d.starts_at_us <= (SELECT now_us FROM clock)
            AND (d.ends_at_us IS NULL OR (SELECT now_us FROM clock) < d.ends_at_us) AS deal_is_open
    FROM products p JOIN shelves s ON s.product_id = p.id LEFT JOIN deals d ON d.id = s.deal_id
    ",
            $tail
        )
    };
}

const BY_IDS_POSTGRES: &str = select!("WHERE p.id = ANY ($1)");
const BY_IDS_SQLITE: &str = select!("WHERE p.id IN (SELECT unhex(value) FROM json_each($1))");
const PAGE: &str = select!(
    "WHERE $3 IS NULL OR p.category = $3 ORDER BY p.created_at_us DESC, p.id LIMIT $1 OFFSET $2"
);
const COUNT: &str = "SELECT count(*) FROM products WHERE $1 IS NULL OR category = $1";

impl Store {
    /// Adds a product and its shelf.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn create_product(
        &self,
        id: ProductId,
        new: &CheckedProduct,
    ) -> Result<(), sqlx::Error> {
        // Together, so that there is never a product without a shelf.
        let mut tx = self.database.begin().await?;
        sql::inside!(&mut tx, |db| {
            let creating = sqlx::query(CREATE)
                .bind(id.0)
                .bind(&new.name)
                .bind(&new.description)
                .bind(&new.category)
                .bind(new.price.minor());
            creating.execute(&mut *db).await?;
            let stocking = sqlx::query(STOCK).bind(id.0).bind(new.stock);
            stocking.execute(db).await.map(drop)?;
        });
        tx.commit().await
    }

    /// A product with its shelf and the deal in the shelf's place.
    ///
    /// # Errors
    /// When the database does not answer, or the row was falsified.
    pub async fn product(&self, id: ProductId) -> Result<Option<Product>, sqlx::Error> {
        Ok(self.find_products(&[id]).await?.pop())
    }

    /// The products there are, in no order.
    ///
    /// # Errors
    /// When the database does not answer, or a row was falsified.
    pub async fn find_products(&self, ids: &[ProductId]) -> Result<Vec<Product>, sqlx::Error> {
        let rows: Vec<ProductColumns> = match &self.database {
            Database::Postgres(server) => {
                let reading = sqlx::query_as(BY_IDS_POSTGRES).bind(array(ids, |id| id.0));
                reading.fetch_all(server.pool()).await?
            }
            Database::Sqlite(file) => {
                let reading = sqlx::query_as(BY_IDS_SQLITE).bind(json_ids(ids, |id| id.0)?);
                reading.fetch_all(file.reader()).await?
            }
        };
        rows.into_iter().map(Product::try_from).collect()
    }

    /// At most `limit` products after the first `offset`, the newest first, and how many there are in
    /// all; of one category if given.
    ///
    /// # Errors
    /// When the database does not answer, or a row was falsified.
    pub async fn list_products(
        &self,
        limit: i64,
        offset: i64,
        category: Option<&str>,
    ) -> Result<(Vec<Product>, i64), sqlx::Error> {
        let (total, rows): (_, Vec<ProductColumns>) = sql::read!(&self.database, |pool| {
            let counting = sqlx::query_scalar(COUNT).bind(category);
            let total = counting.fetch_one(pool).await?;
            let reading = sqlx::query_as(PAGE).bind(limit).bind(offset).bind(category);
            (total, reading.fetch_all(pool).await?)
        });
        let products = rows
            .into_iter()
            .map(Product::try_from)
            .collect::<Result<_, _>>();
        Ok((products?, total))
    }

    /// Changes the fields that are given; `false`: no such product.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn update_product(
        &self,
        id: ProductId,
        change: &CheckedChange,
    ) -> Result<bool, sqlx::Error> {
        let updated = sql::write!(&self.database, |pool| {
            let updating = sqlx::query(UPDATE)
                .bind(id.0)
                .bind(&change.name)
                .bind(&change.description)
                .bind(&change.category)
                .bind(change.price.map(Money::minor));
            updating.execute(pool).await?.rows_affected()
        });
        Ok(updated > 0)
    }
}

#[derive(FromRow)]
struct ProductColumns {
    id: Uuid,
    name: String,
    description: String,
    category: String,
    price_minor: i64,
    created_at_us: i64,
    updated_at_us: i64,
    #[sqlx(flatten)]
    shelf: SumsColumns,
    deal_id: Option<Uuid>,
    deal_status: Option<String>,
    deal_price_minor: Option<i64>,
    deal_available: Option<i64>,
    deal_ends_at_us: Option<i64>,
    deal_is_open: Option<bool>,
}

impl ProductColumns {
    fn deal(&self) -> Result<Option<ProductDeal>, sqlx::Error> {
        let (Some(id), Some(status), Some(price_minor), Some(available)) = (
            self.deal_id,
            self.deal_status.as_deref(),
            self.deal_price_minor,
            self.deal_available,
        ) else {
            return Ok(None);
        };
        Ok(Some(ProductDeal {
            id: DealId(id),
            status: DealStatus::parse(status)
                .ok_or_else(|| sqlx::Error::Decode(format!("deal {id}: {status}").into()))?,
            unit_price: money(price_minor)?,
            available,
            ends_at: self.deal_ends_at_us.map(Timestamp::from_micros),
            is_open: self.deal_is_open.unwrap_or(false),
        }))
    }
}

impl TryFrom<ProductColumns> for Product {
    type Error = sqlx::Error;
    fn try_from(row: ProductColumns) -> Result<Self, sqlx::Error> {
        Ok(Self {
            deal: row.deal()?,
            id: ProductId(row.id),
            name: row.name,
            description: row.description,
            category: row.category,
            price: money(row.price_minor)?,
            shelf: row.shelf.into(),
            created_at: Timestamp::from_micros(row.created_at_us),
            updated_at: Timestamp::from_micros(row.updated_at_us),
        })
    }
}

/// The schema bounds a price from below only.
fn money(minor: i64) -> Result<Money, sqlx::Error> {
    Money::try_from(minor).map_err(|invalid| sqlx::Error::Decode(Box::new(invalid)))
}
