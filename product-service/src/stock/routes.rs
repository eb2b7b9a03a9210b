//! Which products are hot: a hint that the ledger corrects.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{DealId, ProductId};
use tokio::sync::Mutex;

use crate::{
    ledger::deal::{DealRow, DealStatus},
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

/// The routes at one moment.
pub type Table = Arc<HashMap<ProductId, DealRoute>>;

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

    /// Replaces the table by what the ledger says, but for the products whose route has changed since
    /// `before`, which is the table as it was before the ledger was read: of them the ledger may have
    /// said less than is known here. Answers the deals that were in it and that the ledger did not name.
    pub fn replace(&self, before: &Table, open: &[DealRow]) -> Vec<(ProductId, i64)> {
        let by_product = |deal: &DealRow| (deal.product_id, DealRoute::from(deal));
        let mut new: HashMap<ProductId, DealRoute> = open.iter().map(by_product).collect();
        let gone = before
            .iter()
            .filter(|(product_id, route)| {
                new.get(product_id).map(|now| now.number) != Some(route.number)
            })
            .map(|(product_id, route)| (*product_id, route.number))
            .collect();
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        for (product_id, route) in table.iter() {
            if before.get(product_id) != Some(route) {
                new.insert(*product_id, *route);
            }
        }
        for product_id in before.keys() {
            if !table.contains_key(product_id) {
                new.remove(product_id);
            }
        }
        *table = Arc::new(new);
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
        self.replace(seen, &open);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOT: ProductId = ProductId(uuid::Uuid::from_u128(1));

    fn route(number: i64) -> DealRoute {
        DealRoute {
            deal_id: DealId(uuid::Uuid::from_u128(9)),
            number,
            is_running: true,
        }
    }

    #[test]
    fn a_deal_that_started_while_the_ledger_was_read_keeps_its_route_and_is_not_gone() {
        let routes = Routes::default();
        let before = routes.table();
        routes.insert(HOT, route(1));
        assert_eq!(routes.replace(&before, &[]), []);
        assert_eq!(routes.table().get(&HOT), Some(&route(1)));

        // The next deal of the same product, too.
        let before = routes.table();
        routes.insert(HOT, route(2));
        assert_eq!(routes.replace(&before, &[]), [(HOT, 1)]);
        assert_eq!(routes.table().get(&HOT), Some(&route(2)));
    }

    #[test]
    fn a_deal_that_the_ledger_did_not_name_is_gone() {
        let routes = Routes::default();
        routes.insert(HOT, route(1));
        let before = routes.table();
        assert_eq!(routes.replace(&before, &[]), [(HOT, 1)]);
        assert!(routes.table().is_empty());
    }
}
