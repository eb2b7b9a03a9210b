//! Which products are hot: a hint that the ledger corrects.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{DealId, ProductId};
use tokio::sync::Mutex;

use crate::{
    ledger::book::{DealRow, DealStatus},
    store::Store,
};

/// A deal that runs or is paused, as it was when the routes were last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DealRoute {
    /// The deal.
    pub deal_id: DealId,
    /// Its number among the product's deals.
    pub number: i64,
    /// Whether it sells, so that its gate admits.
    pub is_running: bool,
}

impl From<&DealRow> for DealRoute {
    fn from(deal: &DealRow) -> Self {
        Self {
            deal_id: deal.id,
            number: deal.number,
            is_running: deal.status == DealStatus::Running,
        }
    }
}

type Table = Arc<HashMap<ProductId, DealRoute>>;

/// The open deals by product, shared by all requests.
#[derive(Debug, Default)]
pub struct Routes {
    table: RwLock<Table>,
    /// One reading at a time: those who wait for it are content with what it read.
    reading: Mutex<()>,
}

impl Routes {
    /// The table as it is now.
    pub fn table(&self) -> Table {
        Arc::clone(&self.table.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the table by what the ledger says. Answers the deals that are no longer in it.
    pub fn replace(&self, open: &[DealRow]) -> Vec<(ProductId, i64)> {
        let by_product = |deal: &DealRow| (deal.product_id, DealRoute::from(deal));
        let new: HashMap<ProductId, DealRoute> = open.iter().map(by_product).collect();
        let old = self.table();
        let gone = old
            .iter()
            .filter(|(product_id, route)| {
                new.get(product_id).map(|now| now.number) != Some(route.number)
            })
            .map(|(product_id, route)| (*product_id, route.number))
            .collect();
        *self.table.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
        gone
    }

    /// Adds the deal that was just opened here.
    pub fn insert(&self, product_id: ProductId, route: DealRoute) {
        self.change(|table| {
            table.insert(product_id, route);
        });
    }

    /// Removes the deal that was just ended here, unless a later one has taken its place.
    pub fn remove(&self, product_id: ProductId, number: i64) {
        self.change(|table| {
            table.retain(|id, route| *id != product_id || route.number != number);
        });
    }

    fn change(&self, change: impl FnOnce(&mut HashMap<ProductId, DealRoute>)) {
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut table));
    }

    /// Reads the routes again, unless somebody has just done so: `seen` is the table that turned out
    /// to be wrong.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn refresh(&self, store: &Store, seen: &Table) -> Result<(), sqlx::Error> {
        let _reading = self.reading.lock().await;
        if !Arc::ptr_eq(seen, &self.table()) {
            return Ok(());
        }
        let open = store.open_deals().await?;
        self.replace(&open);
        Ok(())
    }
}
