//! Drives an order to its end: decide, do what the decision asks for, follow how the hold ended, store.
//! Confirm, cancel and expiry are this with another command.

use std::sync::Arc;

use domain::{ErrorCode, OrderId, Timestamp};
use tokio::time::Instant;

use crate::{
    metrics,
    order::{Command, Effect, Illegal, Order, Reason, State, decide},
    stock::{Ending, Outcome, Stock, StockError},
    store::{Store, StoreError},
};

/// A lost race is decided again this often; each loss means that somebody else moved the order on, and
/// an order moves at most once.
const RACES_MAX: usize = 3;

/// Ends orders.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Where orders are.
    pub store: Store,
    /// Who knows how their holds ended.
    pub stock: Arc<Stock>,
}

/// Why an order did not move.
#[derive(Debug, thiserror::Error)]
pub enum NotEnded {
    /// There is none, or it is another buyer's.
    #[error("no such order")]
    NotFound,
    /// Its state does not allow it.
    #[error("{illegal}")]
    Illegal {
        /// Which command, in which state.
        illegal: Illegal,
        /// As it stands.
        order: Box<Order>,
    },
    /// product-service did not say how its hold ended.
    #[error(transparent)]
    Stock(#[from] StockError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Others kept moving it.
    #[error("the order was changed by others meanwhile")]
    Contended,
}

/// An order and the database's time of reading it.
pub(crate) type Read = (Order, Timestamp);

impl Orders {
    /// The order, if it belongs to whom `may_see` allows.
    pub(crate) async fn read(
        &self,
        id: OrderId,
        may_see: impl Fn(&Order) -> bool,
    ) -> Result<Read, NotEnded> {
        let found = self.store.find(id).await?;
        found
            .filter(|(order, _)| may_see(order))
            .ok_or(NotEnded::NotFound)
    }

    /// Applies `command`, and answers the order as it then stands: following its hold, it may have
    /// ended otherwise than the command wanted. `note` are the words of the buyer who cancels.
    pub(crate) async fn drive(
        &self,
        (mut order, mut now): Read,
        command: &Command,
        note: Option<&str>,
        deadline: Instant,
    ) -> Result<Order, NotEnded> {
        for _ in 0..RACES_MAX {
            let decision = allowed(&order, command.clone(), now)?;
            let Some(effect) = decision.effect else {
                return Ok(decision.order);
            };
            let ending = self.carry_out(order.id, effect, deadline).await?;
            let next = allowed(&order, follow(ending, note, now), now)?.order;
            if self.store.update(order.state.status(), &next).await? {
                metrics::ended(&next);
                tracing::info!(
                    order.id = %next.id,
                    status = next.state.status().as_str(),
                    reason = next.state.reason().map(Reason::as_str),
                    "order ended"
                );
                return Ok(next);
            }
            (order, now) = self.read(order.id, |_| true).await?;
        }
        Err(NotEnded::Contended)
    }

    async fn carry_out(
        &self,
        id: OrderId,
        effect: Effect,
        deadline: Instant,
    ) -> Result<Ending, StockError> {
        let reason = match effect {
            Effect::ReleaseHold { reason } => reason,
            Effect::SellHold => match self.stock.confirm(id, deadline).await {
                // Too late. Releasing it asks the ledger why and makes sure that it has ended.
                Err(StockError::Refused(refusal))
                    if matches!(refusal.code, ErrorCode::HoldEnded | ErrorCode::NotFound) =>
                {
                    Reason::EXPIRED
                }
                result => return result,
            },
        };
        self.stock.restore(id, &reason, deadline).await
    }
}

fn allowed(
    order: &Order,
    command: Command,
    now: Timestamp,
) -> Result<crate::order::Decision, NotEnded> {
    decide(order, command, now).map_err(|illegal| NotEnded::Illegal {
        illegal,
        order: Box::new(order.clone()),
    })
}

fn follow(ending: Ending, note: Option<&str>, now: Timestamp) -> Command {
    let at = ending.at.unwrap_or(now);
    match ending.outcome {
        Outcome::Sold => Command::HoldSold { at },
        Outcome::Released(reason) => Command::HoldReleased {
            at,
            reason,
            note: note.map(str::to_owned),
        },
    }
}

/// Whether the order ended because its deadline passed.
pub(crate) fn has_expired(order: &Order) -> bool {
    matches!(&order.state, State::Cancelled { reason, .. } if *reason == Reason::EXPIRED)
}
