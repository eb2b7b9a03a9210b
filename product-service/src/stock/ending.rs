//! Ending a hold, and changing a shelf by hand.

use domain::{OrderId, ProductId};
use tokio::time::Instant;

use crate::{
    ledger::{
        command::{Command, Outcome, Refusal},
        hold::HoldEnd,
    },
    stock::{Stock, StockError},
};

impl Stock {
    /// Sells the hold of an order; once sold, it stays sold.
    ///
    /// # Errors
    /// [`Refusal::HoldEnded`] when it was released or its deadline has passed,
    /// [`StockError::NotFound`] when there is none; else see [`StockError`].
    pub async fn confirm(
        &self,
        order_id: OrderId,
        deadline: Option<Instant>,
    ) -> Result<HoldEnd, StockError> {
        end(self
            .ask_ledger(Command::Confirm(order_id), deadline)
            .await?)
    }

    /// Releases the hold of an order, or keeps an unknown order id from ever taking stock. A hold
    /// that has ended stays as it ended.
    ///
    /// # Errors
    /// See [`StockError`].
    pub async fn restore(
        &self,
        order_id: OrderId,
        reason: String,
        deadline: Option<Instant>,
    ) -> Result<HoldEnd, StockError> {
        let command = Command::Restore { order_id, reason };
        end(self.ask_ledger(command, deadline).await?)
    }

    /// Frees the units of an order even if they are sold.
    ///
    /// # Errors
    /// [`StockError::NotFound`] when there is no such hold: then nothing is buried; else see
    /// [`StockError`].
    pub async fn take_back(
        &self,
        order_id: OrderId,
        reason: String,
        deadline: Option<Instant>,
    ) -> Result<HoldEnd, StockError> {
        let command = Command::Return { order_id, reason };
        end(self.ask_ledger(command, deadline).await?)
    }

    /// Adds units to a product's shelf (or writes some off). Answers how many it has then.
    ///
    /// # Errors
    /// [`Refusal::OutOfStock`] when fewer are available than are to be written off,
    /// [`StockError::NotFound`] for an unknown product; else see [`StockError`].
    pub async fn adjust_shelf(&self, product_id: ProductId, delta: i64) -> Result<i64, StockError> {
        let command = Command::AdjustShelf { product_id, delta };
        match self.ask_ledger(command, None).await? {
            Outcome::Adjusted { available } => Ok(available),
            Outcome::Refused(Refusal::ProductNotFound(_)) => Err(StockError::NotFound),
            other => Err(unexpected(other)),
        }
    }
}

fn end(outcome: Outcome) -> Result<HoldEnd, StockError> {
    match outcome {
        Outcome::Ended(end) => Ok(end),
        Outcome::Unknown => Err(StockError::NotFound),
        other => Err(unexpected(other)),
    }
}

/// An outcome that is a refusal, or one that the command cannot have.
pub(crate) fn unexpected(outcome: Outcome) -> StockError {
    match outcome {
        Outcome::Refused(refusal) => StockError::Refused(refusal),
        Outcome::Failed => StockError::Internal,
        outcome => {
            tracing::error!(?outcome, "the ledger answered what was not asked");
            StockError::Internal
        }
    }
}
