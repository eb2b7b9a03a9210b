//! Batches that are done, of which Redis has still to be told.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{BatchId, ProductId};

/// More than these are forgotten: the reconciler finds them stale, which costs a look-up each.
const PRODUCTS_MAX: usize = 16_384;
const BATCHES_OF_A_PRODUCT_MAX: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Done(Mutex<HashMap<ProductId, Vec<BatchId>>>);

impl Done {
    pub(super) fn remember(&self, product: ProductId, batch: BatchId) {
        let mut products = self.lock();
        if products.len() >= PRODUCTS_MAX && !products.contains_key(&product) {
            return;
        }
        let batches = products.entry(product).or_default();
        if batches.len() < BATCHES_OF_A_PRODUCT_MAX {
            batches.push(batch);
        }
    }

    /// The ids of the product's batches one after the other, which are not remembered any more.
    pub(super) fn take(&self, product: ProductId) -> Vec<u8> {
        let batches = self.lock().remove(&product).unwrap_or_default();
        batches
            .iter()
            .flat_map(|batch| *batch.0.as_bytes())
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ProductId, Vec<BatchId>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(number: u128) -> ProductId {
        ProductId(uuid::Uuid::from_u128(number))
    }

    fn batch(number: u128) -> BatchId {
        BatchId(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn what_was_taken_is_not_told_again() {
        let done = Done::default();
        done.remember(product(1), batch(5));
        done.remember(product(1), batch(6));
        done.remember(product(2), batch(7));
        assert_eq!(
            done.take(product(1)),
            [5_u128.to_be_bytes(), 6_u128.to_be_bytes()].concat()
        );
        assert!(done.take(product(1)).is_empty());
        assert_eq!(done.take(product(2)), 7_u128.to_be_bytes());
    }

    #[test]
    fn it_does_not_grow_beyond_its_bounds() {
        let done = Done::default();
        for number in 0..1_000 {
            done.remember(product(0), batch(number));
        }
        assert_eq!(done.take(product(0)).len(), 16 * BATCHES_OF_A_PRODUCT_MAX);
        for number in 0..20_000 {
            done.remember(product(number), batch(1));
        }
        assert_eq!(done.lock().len(), PRODUCTS_MAX);
    }
}
