//! Cancels an order: releases its hold and follows how that ended.

use domain::{OrderId, UserId};
use tokio::time::Instant;

use crate::{
    ending::{NotEnded, Orders},
    order::{Command, Illegal, Order, State},
};

/// The buyer's words have at most so many characters.
pub const NOTE_LEN_MAX: usize = 200;

impl Orders {
    /// Cancels the buyer's order; one that is cancelled already is answered as it stands. `note` says
    /// why, in the buyer's words.
    ///
    /// # Errors
    /// When there is no such order of the buyer, it is sold, or no certain end is reached before
    /// `deadline`.
    pub async fn cancel(
        &self,
        id: OrderId,
        buyer: UserId,
        note: Option<&str>,
        deadline: Instant,
    ) -> Result<Order, NotEnded> {
        let read = self.read(id, |order| order.user_id == buyer).await?;
        let order = self.drive(read, &Command::Cancel, note, deadline).await?;
        if matches!(order.state, State::Confirmed { .. }) {
            // The hold had been sold before: a crash kept the order from following until now.
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
