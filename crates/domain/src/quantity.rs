//! How many units of a product an order line asks for.

use serde::Serialize;

/// 1 to 1,000,000 units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1_000_000))]
pub struct Quantity(u32);

/// A number of units outside 1 to 1,000,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number from 1 to 1000000")]
pub struct InvalidQuantity;

impl Quantity {
    /// The largest number of units in one line, and in the sum of an order's lines of one product.
    pub const MAX: u32 = 1_000_000;

    /// As the ledger counts.
    pub fn units(self) -> i64 {
        i64::from(self.0)
    }

    /// The sum of two lines of one product.
    ///
    /// # Errors
    /// When the sum is above [`Quantity::MAX`].
    pub fn checked_add(self, other: Self) -> Result<Self, InvalidQuantity> {
        Self::try_from(self.units() + other.units())
    }
}

impl TryFrom<i64> for Quantity {
    type Error = InvalidQuantity;
    fn try_from(units: i64) -> Result<Self, InvalidQuantity> {
        match u32::try_from(units) {
            Ok(units @ 1..=Self::MAX) => Ok(Self(units)),
            _ => Err(InvalidQuantity),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_to_a_million_units_are_a_quantity() {
        for units in [0, -1, 1_000_001, 1 << 31, i64::MAX, i64::MIN] {
            assert_eq!(Quantity::try_from(units), Err(InvalidQuantity), "{units}");
        }
        for units in [1, 1_000_000] {
            assert_eq!(Quantity::try_from(units).unwrap().units(), units);
        }
    }

    #[test]
    fn sums_stay_in_range() {
        let most = Quantity::try_from(1_000_000).unwrap();
        let one = Quantity::try_from(1).unwrap();
        assert_eq!(most.checked_add(one), Err(InvalidQuantity));
        assert_eq!(one.checked_add(one).unwrap().units(), 2);
    }
}
