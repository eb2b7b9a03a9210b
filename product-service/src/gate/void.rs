//! Voiding: a batch that its process left in flight is taken off the list.

use domain::{BatchId, ProductId};

use super::{Gate, GateError, error::in_range, reply::Code, scripts::VOID};

impl Gate {
    /// Ends a batch in flight after the ledger has recorded it, `was_void` or taken, and hands over
    /// `owed` as it stands after that. A void batch loses the admissions that still carry its id, and
    /// their buyers are un-counted. A gate that is gone, or a later deal's, has nothing to end.
    ///
    /// # Errors
    /// As [`GateError`] says; repeating the call is safe.
    pub async fn void(
        &self,
        product: ProductId,
        deal_number: i64,
        batch: BatchId,
        owed: i64,
        was_void: bool,
    ) -> Result<(), GateError> {
        let mut call = VOID.call(product, 4, 96);
        call.arg(in_range(deal_number)?)
            .arg(batch.0.as_bytes())
            .arg(in_range(owed)?)
            .arg(i32::from(was_void));
        let reply = self.run_pooled(&VOID, &call).await?;
        match reply.status {
            Code::Open => reply.exactly::<1>().map(|_| ()),
            Code::Missing | Code::StaleCaller => reply.exactly::<0>().map(|_| ()),
            _ => Err(reply.unexpected()),
        }
    }
}
