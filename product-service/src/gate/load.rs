//! Loading: the gate of a deal is put up from one snapshot of the ledger.

use domain::{DealId, ProductId};

use super::{Gate, GateError, error::in_range, reply::Code, scripts::LOAD};

/// A deal as one snapshot of the ledger shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateLoad {
    /// The deal's product.
    pub product: ProductId,
    /// The deal.
    pub deal_id: DealId,
    /// Its number among the product's deals.
    pub deal_number: i64,
    /// Units available, 0 to 2⁵³ − 1.
    pub quantity: i64,
    /// What the gate is owed in total so far, 0 to 2⁵³ − 1.
    pub owed: i64,
    /// The most units one buyer may have; none: no limit.
    pub per_user_limit: Option<i64>,
}

/// How a load ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// The gate is new; one of an earlier deal is gone with all it kept.
    Loaded,
    /// The deal has its gate already, which stays as it is.
    Kept,
    /// The gate is of a later deal.
    StaleCaller,
}

impl Gate {
    /// Puts the gate of a deal up where there is none, or one of an earlier deal.
    ///
    /// # Errors
    /// As [`GateError`] says; repeating the call is safe.
    pub async fn load(&self, load: &GateLoad) -> Result<Loaded, GateError> {
        let mut call = LOAD.call(load.product, 5, 96);
        call.arg(in_range(load.deal_number)?)
            .arg(load.deal_id.to_string())
            .arg(in_range(load.quantity)?)
            .arg(in_range(load.owed)?);
        match load.per_user_limit {
            Some(limit) => call.arg(in_range(limit)?),
            None => call.arg(""),
        };
        let reply = self.run_pooled(&LOAD, &call).await?;
        reply.exactly::<0>()?;
        match reply.status {
            Code::Loaded => Ok(Loaded::Loaded),
            Code::Kept => Ok(Loaded::Kept),
            Code::StaleCaller => Ok(Loaded::StaleCaller),
            _ => Err(reply.unexpected()),
        }
    }
}
