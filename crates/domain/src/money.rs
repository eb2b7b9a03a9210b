//! Amounts of money.

use serde::Serialize;

use crate::quantity::Quantity;

/// An amount in the currency's minor unit (for KRW, which has none, in won): 0 to 2^53 − 1, so that
/// every JSON reader can hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)
)]
pub struct Money(i64);

/// An amount that is negative or above 2^53 − 1 minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a whole number of minor units from 0 to 9007199254740991")]
pub struct InvalidMoney;

impl Money {
    /// The largest amount, 2^53 − 1 minor units.
    pub const MAX_MINOR: i64 = (1 << 53) - 1;

    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.0
    }

    /// Unit price times quantity.
    ///
    /// # Errors
    /// When the product is above [`Money::MAX_MINOR`].
    pub fn checked_mul(self, quantity: Quantity) -> Result<Self, InvalidMoney> {
        let product = self.0.checked_mul(quantity.units()).ok_or(InvalidMoney)?;
        Self::try_from(product)
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// When the sum is above [`Money::MAX_MINOR`].
    pub fn checked_add(self, other: Self) -> Result<Self, InvalidMoney> {
        Self::try_from(self.0 + other.0)
    }
}

impl TryFrom<i64> for Money {
    type Error = InvalidMoney;
    fn try_from(minor: i64) -> Result<Self, InvalidMoney> {
        if (0..=Self::MAX_MINOR).contains(&minor) {
            Ok(Self(minor))
        } else {
            Err(InvalidMoney)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64) -> Money {
        Money::try_from(minor).unwrap()
    }

    #[test]
    fn amounts_out_of_range_are_refused() {
        for minor in [-1, Money::MAX_MINOR + 1, i64::MAX, i64::MIN] {
            assert_eq!(Money::try_from(minor), Err(InvalidMoney), "{minor}");
        }
    }

    #[test]
    fn price_times_quantity_never_overflows_silently() {
        let two = Quantity::try_from(2).unwrap();
        assert_eq!(money(5_000).checked_mul(two), Ok(money(10_000)));
        assert_eq!(money(Money::MAX_MINOR).checked_mul(two), Err(InvalidMoney));
        let most = Quantity::try_from(1_000_000).unwrap();
        assert_eq!(money(Money::MAX_MINOR).checked_mul(most), Err(InvalidMoney));
    }

    #[test]
    fn sums_never_overflow_silently() {
        assert_eq!(money(1).checked_add(money(2)), Ok(money(3)));
        assert_eq!(
            money(Money::MAX_MINOR).checked_add(money(1)),
            Err(InvalidMoney)
        );
    }
}
