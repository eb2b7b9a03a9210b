//! Batches that are done, of which Redis has still to be told.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{BatchId, OrderId, ProductId};

/// More than these are forgotten: the reconciler finds them stale, which costs a look-up each.
const PRODUCTS_MAX: usize = 16_384;
const BATCHES_OF_A_PRODUCT_MAX: usize = 256;
/// Beyond these an admission stays at the gate until its deal ends, which costs Redis some memory.
const NOT_TAKEN_OF_A_PRODUCT_MAX: usize = 4_096;
const NOT_TAKEN_MAX: usize = 262_144;

const ID_LEN: usize = 16;
/// An order id and a batch id.
const PAIR_LEN: usize = 2 * ID_LEN;

/// What a script is told of batches that are done, as it wants it.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Batch ids, one after the other.
    pub(super) batches: Vec<u8>,
    /// Pairs of the id of an order that the ledger did not take and the id of its batch.
    pub(super) not_taken: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Done(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    products: HashMap<ProductId, Told>,
    /// Pairs of all products.
    not_taken_len: usize,
}

impl Done {
    pub(super) fn remember(&self, product: ProductId, batch: BatchId, not_taken: &[OrderId]) {
        let mut state = self.lock();
        let State {
            products,
            not_taken_len,
        } = &mut *state;
        if products.len() >= PRODUCTS_MAX && !products.contains_key(&product) {
            return;
        }
        let told = products.entry(product).or_default();
        if told.batches.len() < BATCHES_OF_A_PRODUCT_MAX * ID_LEN {
            told.batches.extend_from_slice(batch.0.as_bytes());
        }
        let room_of_product = NOT_TAKEN_OF_A_PRODUCT_MAX - told.not_taken.len() / PAIR_LEN;
        let room = room_of_product.min(NOT_TAKEN_MAX - *not_taken_len);
        for order in not_taken.iter().take(room) {
            told.not_taken.extend_from_slice(order.0.as_bytes());
            told.not_taken.extend_from_slice(batch.0.as_bytes());
            *not_taken_len += 1;
        }
    }

    /// What is remembered of the product, which it is not any more.
    pub(super) fn take(&self, product: ProductId) -> Told {
        let mut state = self.lock();
        let told = state.products.remove(&product).unwrap_or_default();
        state.not_taken_len -= told.not_taken.len() / PAIR_LEN;
        told
    }

    fn lock(&self) -> MutexGuard<'_, State> {
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

    fn orders(numbers: std::ops::Range<u128>) -> Vec<OrderId> {
        let order = |number| OrderId(uuid::Uuid::from_u128(number));
        numbers.map(order).collect()
    }

    #[test]
    fn what_was_taken_is_not_told_again() {
        let done = Done::default();
        done.remember(product(1), batch(5), &[]);
        done.remember(product(1), batch(6), &orders(8..9));
        done.remember(product(2), batch(7), &[]);
        let told = done.take(product(1));
        let bytes = |ids: [u128; 2]| ids.map(u128::to_be_bytes).concat();
        assert_eq!(told.batches, bytes([5, 6]));
        assert_eq!(told.not_taken, bytes([8, 6]));
        let again = done.take(product(1));
        assert!(again.batches.is_empty() && again.not_taken.is_empty());
        assert_eq!(done.take(product(2)).batches, 7_u128.to_be_bytes());
    }

    #[test]
    fn it_does_not_grow_beyond_its_bounds() {
        let done = Done::default();
        for number in 0..1_000 {
            done.remember(product(0), batch(number), &orders(0..10));
        }
        let told = done.take(product(0));
        assert_eq!(told.batches.len(), 16 * BATCHES_OF_A_PRODUCT_MAX);
        assert_eq!(told.not_taken.len(), PAIR_LEN * NOT_TAKEN_OF_A_PRODUCT_MAX);
        for number in 0..20_000 {
            done.remember(product(number), batch(1), &orders(0..20));
        }
        assert_eq!(done.lock().products.len(), PRODUCTS_MAX);
        assert_eq!(done.lock().not_taken_len, NOT_TAKEN_MAX);
        for number in 0..20_000 {
            done.take(product(number));
        }
        assert_eq!(done.lock().not_taken_len, 0);
    }
}
