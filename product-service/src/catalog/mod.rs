//! The catalogue: what products are called, what they cost, and what stock they show.
//!
//! - [`product`]: a product as readers see it, with its shelf and the deal in the shelf's place.
//! - [`check`]: what may be written into the catalogue; pure, all complaints at once.
//! - [`error`]: why the catalogue says no or cannot answer.
//!
//! The catalogue never moves stock: that is the ledger's.

pub mod check;
pub mod error;
pub mod product;

use domain::{IdSource, ProductId};
use service_kit::page::{Page, PageQuery};

pub use self::{
    check::{NewProduct, ProductChange},
    error::CatalogError,
    product::{Product, ProductDeal},
};
use crate::store::Store;

/// Reads and writes products; clones share the database's pool.
#[derive(Debug, Clone)]
pub struct Catalog {
    store: Store,
    ids: IdSource,
}

impl Catalog {
    /// Over the ledger's database; new products are named by `ids`.
    pub fn new(store: Store, ids: IdSource) -> Self {
        Self { store, ids }
    }

    /// Adds a product and its shelf.
    ///
    /// # Errors
    /// Every field that is out of range, or a database that does not answer.
    pub async fn create(&self, new: NewProduct) -> Result<Product, CatalogError> {
        let checked = new.check()?;
        let id = ProductId(self.ids.next());
        self.store.create_product(id, &checked).await?;
        self.get(id).await
    }

    /// One product.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`], or a database that does not answer.
    pub async fn get(&self, id: ProductId) -> Result<Product, CatalogError> {
        self.store.product(id).await?.ok_or(CatalogError::NotFound)
    }

    /// Several products, in no order; unknown ids are absent.
    ///
    /// # Errors
    /// A database that does not answer.
    pub async fn find(&self, ids: &[ProductId]) -> Result<Vec<Product>, CatalogError> {
        Ok(self.store.find_products(ids).await?)
    }

    /// A page of products, the newest first, of one category if given.
    ///
    /// # Errors
    /// A category that no product can have, or a database that does not answer.
    pub async fn list(
        &self,
        page: PageQuery,
        category: Option<&str>,
    ) -> Result<Page<Product>, CatalogError> {
        let category = category.map(check::category_filter).transpose()?;
        let (items, total) = self
            .store
            .list_products(page.limit(), page.offset(), category)
            .await?;
        Ok(Page::new(items, total, page))
    }

    /// Changes the fields that are given and leaves the others.
    ///
    /// # Errors
    /// Every field that is out of range, [`CatalogError::NotFound`], or a database that does not answer.
    pub async fn update(
        &self,
        id: ProductId,
        change: ProductChange,
    ) -> Result<Product, CatalogError> {
        let checked = change.check()?;
        if !checked.is_empty() && !self.store.update_product(id, &checked).await? {
            return Err(CatalogError::NotFound);
        }
        self.get(id).await
    }
}
