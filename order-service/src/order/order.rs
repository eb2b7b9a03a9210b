//! The order: an aggregate that is read and written as a whole.

use domain::{DealId, Money, OrderId, ProductId, Quantity, Timestamp, UserId};
use uuid::Uuid;

use super::{
    fingerprint::Fingerprint,
    request::ShippingAddress,
    state::{Flow, State},
};

/// One order of one buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Names the order, and the hold that keeps its stock.
    pub id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// How it is fulfilled.
    pub flow: Flow,
    /// Where it stands.
    pub state: State,
    /// One line a product, as product-service held them.
    pub lines: Vec<Line>,
    /// The sum of the lines' subtotals.
    pub total: Money,
    /// Where to deliver, if the buyer said so.
    pub shipping_address: Option<ShippingAddress>,
    /// Digest of the body it was placed with; only orders with an `Idempotency-Key` have one.
    pub fingerprint: Option<Fingerprint>,
    /// When the hold ends unless it is confirmed, by product-service's database.
    pub expires_at: Timestamp,
    /// When it was inserted, by the database's clock.
    pub created_at: Timestamp,
    /// When its state last changed, by the database's clock.
    pub updated_at: Timestamp,
    /// How often its state has changed.
    pub version: i64,
}

/// One product of an order, at the price that was held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Names the line; follows from order and product.
    pub id: Uuid,
    /// Which product.
    pub product_id: ProductId,
    /// Its name when the stock was held.
    pub product_name: String,
    /// How many units.
    pub quantity: Quantity,
    /// Price of one unit when the stock was held.
    pub unit_price: Money,
    /// Price times quantity.
    pub subtotal: Money,
    /// The deal it was sold in, if any.
    pub deal_id: Option<DealId>,
}

/// A price that cannot be written as [`Money`] once it is multiplied or summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the order's amount is above 9007199254740991 minor units")]
pub struct AmountTooLarge;

/// The sum of the lines.
///
/// # Errors
/// When it is above [`Money::MAX_MINOR`].
pub fn total(lines: &[Line]) -> Result<Money, AmountTooLarge> {
    lines
        .iter()
        .try_fold(Money::ZERO, |sum, line| sum.checked_add(line.subtotal))
        .map_err(|_| AmountTooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::id;

    fn line(subtotal: i64) -> Line {
        let product_id = ProductId(Uuid::nil());
        Line {
            id: id::line(OrderId(Uuid::nil()), product_id),
            product_id,
            product_name: "tea".into(),
            quantity: Quantity::try_from(1).unwrap(),
            unit_price: Money::try_from(subtotal).unwrap(),
            subtotal: Money::try_from(subtotal).unwrap(),
            deal_id: None,
        }
    }

    #[test]
    fn the_total_is_the_sum_of_the_lines() {
        assert_eq!(total(&[line(2), line(3)]).unwrap().minor(), 5);
    }

    #[test]
    fn a_total_that_no_json_reader_can_hold_is_refused() {
        assert_eq!(
            total(&[line(Money::MAX_MINOR), line(1)]),
            Err(AmountTooLarge)
        );
    }
}
