//! Cancels an order: releases its hold, or takes its sale back, and follows how that ended.

use domain::{OrderId, UserId};
use tokio::time::Instant;

use crate::{
    ending::{NotEnded, Orders},
    order::{Command, Illegal, Order, State},
};

/// The buyer's words have at most so many characters.
pub const NOTE_LEN_MAX: usize = 200;

impl Orders {
    /// Cancels the buyer's order, confirmed or not; one that is cancelled already is answered as it
    /// stands. `note` says why, in the buyer's words.
    ///
    /// # Errors
    /// When there is no such order of the buyer, its sale was too long ago to be taken back, or no
    /// certain end is reached before `deadline`.
    pub async fn cancel(
        &self,
        id: OrderId,
        buyer: UserId,
        note: Option<String>,
        deadline: Instant,
    ) -> Result<Order, NotEnded> {
        let command = Command::Cancel { note };
        let read = self.read(id, |order| order.user_id == buyer).await?;
        let was_pending = matches!(read.0.state, State::Pending);
        let mut order = self.drive(read, &command, deadline).await?;
        if was_pending && matches!(order.state, State::Confirmed { .. }) {
            // Its hold had been sold before; a crash, or a confirm at the same time, kept the order
            // from following until now.
            let read = self.read(id, |_| true).await?;
            order = self.drive(read, &command, deadline).await?;
        }
        if matches!(order.state, State::Confirmed { .. }) {
            return Err(NotEnded::Illegal {
                illegal: Illegal {
                    status: order.state.status(),
                    command: "cancel",
                },
                order: Box::new(order),
            });
        }
        Ok(order)
    }
}
