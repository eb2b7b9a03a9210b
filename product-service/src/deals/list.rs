//! Deals in pages.

use domain::ProductId;
use service_kit::page::{Page, PageQuery};

use crate::{
    deals::Deals,
    ledger::deal::{DealRow, DealStatus},
    stock::StockError,
};

impl Deals {
    /// A page of deals, the newest first, of one status or one product if given.
    ///
    /// # Errors
    /// See [`StockError`].
    pub async fn list(
        &self,
        page: PageQuery,
        status: Option<DealStatus>,
        product_id: Option<ProductId>,
    ) -> Result<Page<DealRow>, StockError> {
        let (deals, total) = self
            .0
            .store
            .list_deals(page.limit(), page.offset(), status, product_id)
            .await?;
        Ok(Page::new(deals, total, page))
    }
}
