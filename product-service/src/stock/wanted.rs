//! The lines of a request: summed by product and sorted.

use std::collections::BTreeMap;

use domain::{DealId, ProductId, Quantity};

use crate::stock::StockError;

/// One line as the caller wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedLine {
    /// What is wanted.
    pub product_id: ProductId,
    /// How many units.
    pub quantity: Quantity,
    /// The deal the caller insists on, if any.
    pub deal_id: Option<DealId>,
}

/// One line a product, sorted by product, with the sum of its quantities.
///
/// # Errors
/// When a sum is above [`Quantity::MAX`], or lines of one product name different deals.
pub(super) fn sum(lines: &[WantedLine]) -> Result<Vec<WantedLine>, StockError> {
    let mut by_product: BTreeMap<ProductId, WantedLine> = BTreeMap::new();
    for line in lines {
        let Some(so_far) = by_product.get_mut(&line.product_id) else {
            by_product.insert(line.product_id, *line);
            continue;
        };
        let invalid = |field, message: String| StockError::InvalidLines {
            product_id: line.product_id,
            field,
            message,
        };
        so_far.quantity = so_far
            .quantity
            .checked_add(line.quantity)
            .map_err(|error| invalid("quantity", format!("the sum of the quantities {error}")))?;
        match (so_far.deal_id, line.deal_id) {
            (Some(one), Some(other)) if one != other => {
                return Err(invalid("deal_id", "name one deal, not several".into()));
            }
            (one, other) => so_far.deal_id = one.or(other),
        }
    }
    Ok(by_product.into_values().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn line(product: u128, units: i64, deal: Option<u128>) -> WantedLine {
        WantedLine {
            product_id: ProductId(Uuid::from_u128(product)),
            quantity: Quantity::try_from(units).unwrap(),
            deal_id: deal.map(|id| DealId(Uuid::from_u128(id))),
        }
    }

    #[test]
    fn lines_of_one_product_are_summed_and_sorted() {
        let lines = [line(2, 1, None), line(1, 2, None), line(2, 3, Some(9))];
        assert_eq!(
            sum(&lines).unwrap(),
            vec![line(1, 2, None), line(2, 4, Some(9))]
        );
    }

    #[test]
    fn a_sum_out_of_range_and_two_deals_for_one_product_are_refused() {
        let too_many = [line(1, 1_000_000, None), line(1, 1, None)];
        assert!(matches!(
            sum(&too_many),
            Err(StockError::InvalidLines {
                field: "quantity",
                ..
            })
        ));
        let two_deals = [line(1, 1, Some(8)), line(1, 1, Some(9))];
        assert!(matches!(
            sum(&two_deals),
            Err(StockError::InvalidLines {
                field: "deal_id",
                ..
            })
        ));
    }
}
