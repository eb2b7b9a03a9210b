//! The catalogue's rows.

use domain::{DealId, Money, ProductId, Timestamp};
use sqlx::FromRow;
use uuid::Uuid;

use crate::{
    catalog::{
        check::{CheckedChange, CheckedProduct},
        product::{Product, ProductDeal},
    },
    ledger::book::DealStatus,
    store::{Store, rows::SumsColumns},
};

/// One statement, so that there is never a product without a shelf.
const CREATE: &str = "
    WITH product AS (
        INSERT INTO products
            (id, name, description, category, price_minor, created_at_us, updated_at_us)
        SELECT $1, $2, $3, $4, $5, now, now FROM now_us() AS now
        RETURNING id
    )
    INSERT INTO shelves (product_id, initial, available) SELECT id, $6, $6 FROM product";

const UPDATE: &str = "
    UPDATE products SET
        name = coalesce($2, name), description = coalesce($3, description),
        category = coalesce($4, category), price_minor = coalesce($5, price_minor),
        updated_at_us = greatest(updated_at_us, now_us())
    WHERE id = $1";

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "
    SELECT p.id, p.name, p.description, p.category, p.price_minor, p.created_at_us, p.updated_at_us,
        s.initial, s.restocked, s.available, s.held, s.sold, s.written_off, s.returned,
        d.id AS deal_id, d.status AS deal_status, d.unit_price_minor AS deal_price_minor,
        d.available AS deal_available, d.ends_at_us AS deal_ends_at_us,
        d.status = 'running' AND d.starts_at_us <= now_us()
            AND (d.ends_at_us IS NULL OR now_us() < d.ends_at_us) AS deal_is_open
    FROM products p JOIN shelves s ON s.product_id = p.id LEFT JOIN deals d ON d.id = s.deal_id
    ",
            $tail
        )
    };
}

const BY_IDS: &str = select!("WHERE p.id = ANY ($1)");
const PAGE: &str = select!(
    "WHERE $3::text IS NULL OR p.category = $3 ORDER BY p.created_at_us DESC, p.id LIMIT $1 OFFSET $2"
);
const COUNT: &str = "SELECT count(*) FROM products WHERE $1::text IS NULL OR category = $1";

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
        sqlx::query(CREATE)
            .bind(id.0)
            .bind(&new.name)
            .bind(&new.description)
            .bind(&new.category)
            .bind(new.price.minor())
            .bind(new.stock)
            .execute(&self.pool)
            .await
            .map(drop)
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
        let raw: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let rows: Vec<ProductColumns> = sqlx::query_as(BY_IDS)
            .bind(raw)
            .fetch_all(&self.pool)
            .await?;
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
        let total = sqlx::query_scalar(COUNT)
            .bind(category)
            .fetch_one(&self.pool)
            .await?;
        let rows: Vec<ProductColumns> = sqlx::query_as(PAGE)
            .bind(limit)
            .bind(offset)
            .bind(category)
            .fetch_all(&self.pool)
            .await?;
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
        let done = sqlx::query(UPDATE)
            .bind(id.0)
            .bind(&change.name)
            .bind(&change.description)
            .bind(&change.category)
            .bind(change.price.map(Money::minor))
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
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
