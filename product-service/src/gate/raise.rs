//! Raising: a gate that a hand made too low gets its units back.

use domain::ProductId;

use super::{Gate, GateError, error::in_range, reply::Code, scripts::RAISE};

/// What a caller read of a gate, and what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// The product.
    pub product: ProductId,
    /// The number of its deal.
    pub deal_number: i64,
    /// The quantity as read.
    pub expected_quantity: i64,
    /// What the gate had been handed in total, as read.
    pub expected_owed: i64,
    /// The quantity it should have, 0 to 2⁵³ − 1.
    pub quantity: i64,
}

/// How a raise ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Raised {
    /// The gate has the new quantity.
    Raised,
    /// The gate is not as read, or not below the new quantity: nothing was done.
    Changed,
    /// There is no gate of this deal.
    Missing,
    /// The product has a later deal than the caller knows.
    StaleCaller,
}

impl Gate {
    /// Sets the quantity of a gate that is still as the caller read it, only upwards.
    ///
    /// # Errors
    /// As [`GateError`] says; repeating the call is safe.
    pub async fn raise(&self, raise: &Raise) -> Result<Raised, GateError> {
        let mut call = RAISE.call(raise.product, 4, 80);
        call.arg(in_range(raise.deal_number)?)
            .arg(raise.expected_quantity)
            .arg(in_range(raise.expected_owed)?)
            .arg(in_range(raise.quantity)?);
        let reply = self.run_pooled(&RAISE, &call).await?;
        reply.exactly::<0>()?;
        match reply.status {
            Code::Raised => Ok(Raised::Raised),
            Code::Changed => Ok(Raised::Changed),
            Code::Missing => Ok(Raised::Missing),
            Code::StaleCaller => Ok(Raised::StaleCaller),
            _ => Err(reply.unexpected()),
        }
    }
}
