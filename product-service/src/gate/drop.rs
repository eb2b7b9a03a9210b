//! Dropping: the gate of a deal that has ended is taken down.

use domain::ProductId;

use super::{Gate, GateError, error::in_range, reply::Code, scripts::DROP};

/// How a drop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// The gate is gone, with all it kept.
    Dropped,
    /// There was none.
    Absent,
    /// The gate is of a later deal, and stays.
    StaleCaller,
}

impl Gate {
    /// Takes the gate of the product down when it is of deal `deal_number` or an earlier one.
    ///
    /// # Errors
    /// As [`GateError`] says; repeating the call is safe.
    pub async fn drop_deal(
        &self,
        product: ProductId,
        deal_number: i64,
    ) -> Result<Dropped, GateError> {
        let mut call = DROP.call(product, 1, 24);
        call.arg(in_range(deal_number)?);
        let reply = self.run_pooled(&DROP, &call).await?;
        reply.exactly::<0>()?;
        match reply.status {
            Code::Dropped => Ok(Dropped::Dropped),
            Code::Absent => Ok(Dropped::Absent),
            Code::StaleCaller => Ok(Dropped::StaleCaller),
            _ => Err(reply.unexpected()),
        }
    }
}
