//! Confirms an order: sells its hold and follows how that ended. One operation, whoever asks.

use domain::{OrderId, UserId};
use tokio::time::Instant;

use crate::{
    ending::{NotEnded, Orders, has_expired},
    order::{Command, Illegal, Order, State},
};

/// Who confirms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// A buyer, who may confirm only what is his.
    Buyer(UserId),
}

/// Why an order is not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum NotConfirmed {
    /// Its hold has been released: too late.
    #[error("the hold has ended")]
    HoldEnded,
    /// It ended otherwise before.
    #[error(transparent)]
    Illegal(Illegal),
    /// It is not known how it ends.
    #[error(transparent)]
    NotEnded(NotEnded),
}

impl Orders {
    /// Confirms the order; one that is confirmed already is answered as it stands.
    ///
    /// # Errors
    /// When there is no such order of `by`, it has ended otherwise, or no certain end is reached before
    /// `deadline`.
    pub async fn confirm(
        &self,
        id: OrderId,
        by: By,
        deadline: Instant,
    ) -> Result<Order, NotConfirmed> {
        let By::Buyer(buyer) = by;
        let read = self
            .read(id, |order| order.user_id == buyer)
            .await
            .map_err(NotConfirmed::NotEnded)?;
        match self.drive(read, &Command::Confirm, deadline).await {
            Ok(order) if matches!(order.state, State::Confirmed { .. }) => Ok(order),
            // The order followed its hold, which was released before.
            Ok(_) => Err(NotConfirmed::HoldEnded),
            Err(NotEnded::Illegal { order, .. }) if has_expired(&order) => {
                Err(NotConfirmed::HoldEnded)
            }
            Err(NotEnded::Illegal { illegal, .. }) => Err(NotConfirmed::Illegal(illegal)),
            Err(error) => Err(NotConfirmed::NotEnded(error)),
        }
    }
}
