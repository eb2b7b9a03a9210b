//! Wiping: what stands in the place of a gate is taken away, whatever it is.

use domain::ProductId;
use redis::RedisResult;

use super::{Gate, GateError, keys::Keys};

impl Gate {
    /// Deletes the keys of the product's gate, of whatever deal or type they are: for a gate that no
    /// script can work with. A gate may be lost at any time; the next request loads it.
    ///
    /// # Errors
    /// As [`GateError`] says; repeating the call is safe.
    pub async fn wipe(&self, product: ProductId) -> Result<(), GateError> {
        let mut connection = self.pooled().await?;
        let wiped: RedisResult<()> = redis::cmd("UNLINK")
            .arg(&Keys::of(product).all())
            .query_async(&mut connection)
            .await;
        self.noted(wiped.map_err(GateError::from))
    }
}
