//! A product as readers see it.

use domain::{DealId, Money, ProductId, Timestamp};

use crate::ledger::{deal::DealStatus, sums::Sums};

/// A product with its stock at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// 1 to 200 characters.
    pub name: String,
    /// Up to 10,000 characters.
    pub description: String,
    /// Up to 100 characters; empty: none.
    pub category: String,
    /// Price of one unit outside deals.
    pub price: Money,
    /// Where the units outside deals are.
    pub shelf: Sums,
    /// The deal that runs or is paused; it sells in the shelf's place.
    pub deal: Option<ProductDeal>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When its name, description, category or price last changed.
    pub updated_at: Timestamp,
}

/// What a product's reader is told of the deal in its shelf's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDeal {
    /// Its id.
    pub id: DealId,
    /// Running or paused.
    pub status: DealStatus,
    /// Price of one unit while it runs.
    pub unit_price: Money,
    /// Units that can be taken while it runs.
    pub available: i64,
    /// Closes at, if ever by itself.
    pub ends_at: Option<Timestamp>,
    /// Running and within its window, by the database's clock when this was read.
    pub is_open: bool,
}

impl Product {
    /// Units on offer: the deal's while there is one, else the shelf's.
    pub fn stock(&self) -> i64 {
        self.deal
            .as_ref()
            .map_or(self.shelf.available, |deal| deal.available)
    }

    /// The deal that sells now.
    pub fn open_deal(&self) -> Option<&ProductDeal> {
        self.deal.as_ref().filter(|deal| deal.is_open)
    }

    /// Units that could be taken now: none while the deal is paused or out of its window.
    pub fn takeable(&self) -> i64 {
        match &self.deal {
            Some(deal) if !deal.is_open => 0,
            _ => self.stock(),
        }
    }

    /// The price that counts now.
    pub fn unit_price(&self) -> Money {
        self.open_deal().map_or(self.price, |deal| deal.unit_price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(deal: Option<(bool, i64)>) -> Product {
        let id = domain::IdSource::new(
            std::sync::Arc::new(domain::ManualClock::at_micros(1_000_000)),
            [1; 32],
        );
        let at = Timestamp::from_micros(1);
        Product {
            id: ProductId(id.next()),
            name: "Lamp".into(),
            description: String::new(),
            category: String::new(),
            price: Money::try_from(500).unwrap(),
            shelf: Sums {
                initial: 7,
                available: 7,
                ..Sums::default()
            },
            deal: deal.map(|(is_open, available)| ProductDeal {
                id: DealId(id.next()),
                status: DealStatus::Running,
                unit_price: Money::try_from(300).unwrap(),
                available,
                ends_at: None,
                is_open,
            }),
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn without_a_deal_the_shelf_counts() {
        let product = product(None);
        assert_eq!((product.stock(), product.takeable()), (7, 7));
        assert_eq!(product.unit_price().minor(), 500);
    }

    #[test]
    fn an_open_deal_counts_in_the_shelfs_place() {
        let product = product(Some((true, 3)));
        assert_eq!((product.stock(), product.takeable()), (3, 3));
        assert_eq!(product.unit_price().minor(), 300);
    }

    #[test]
    fn a_deal_that_is_not_open_offers_nothing_now() {
        let product = product(Some((false, 3)));
        assert_eq!((product.stock(), product.takeable()), (3, 0));
        assert_eq!(product.unit_price().minor(), 500);
    }
}
