//! Drives an order to its end: decide, store what is intended, do what the decision asks for, follow how
//! the hold ended, store. Confirm, cancel and expiry are this with another command.

use std::sync::Arc;

use domain::{ErrorCode, OrderId, ProductId, Timestamp};
use tokio::time::Instant;

use crate::{
    metrics,
    order::{Command, Effect, Illegal, Order, Reason, State, decide},
    stock::{Ending, Outcome, Stock, StockError},
    store::{Store, StoreError},
    watch::Watchers,
};

/// A lost race is decided again this often; each loss means that somebody else moved the order on, and
/// an order seldom moves more than three times.
const RACES_MAX: usize = 5;

/// Ends orders.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Where orders are.
    pub store: Store,
    /// Who knows how their holds ended.
    pub stock: Arc<Stock>,
    /// Who is told about changes.
    pub watchers: Watchers,
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
    /// ended otherwise than the command wanted.
    pub(crate) async fn drive(
        &self,
        (mut order, mut now): Read,
        command: &Command,
        deadline: Instant,
    ) -> Result<Order, NotEnded> {
        for _ in 0..RACES_MAX {
            let decision = allowed(&order, command.clone(), now)?;
            if self.store_move(&order, &decision.order).await? {
                order = decision.order;
                let Some(effect) = decision.effect else {
                    return Ok(order);
                };
                let ending = self.carry_out(&order, effect, deadline).await?;
                let next = allowed(&order, follow(ending, command, now), now)?.order;
                if self.store_move(&order, &next).await? {
                    return Ok(next);
                }
            }
            (order, now) = self.read(order.id, |_| true).await?;
        }
        Err(NotEnded::Contended)
    }

    /// Stores the order's next state; `false` if it has moved on meanwhile.
    async fn store_move(&self, order: &Order, next: &Order) -> Result<bool, StoreError> {
        if order == next {
            return Ok(true);
        }
        if !self.store.update(order, next).await? {
            return Ok(false);
        }
        // A sale moves thousands in a minute; how many is for the metrics to say.
        tracing::debug!(
            order.id = %next.id,
            status = next.state.status().as_str(),
            reason = next.state.reason().map(Reason::as_str),
            is_cancelling = matches!(next.state, State::Cancelling { .. }),
            "order moved"
        );
        self.watchers.changed(next);
        if order.state.status() != next.state.status() {
            metrics::ended(next);
        }
        Ok(true)
    }

    /// Does what has to be done at product-service; answers how the hold ended, `None` if its sale is
    /// no longer known there.
    async fn carry_out(
        &self,
        order: &Order,
        effect: Effect,
        deadline: Instant,
    ) -> Result<Option<Ending>, StockError> {
        match effect {
            Effect::ReleaseHold { reason } => {
                let ending = self.release(order, &reason, deadline).await?;
                Ok(Some(ending))
            }
            Effect::SellHold => self.sell(order, deadline).await.map(Some),
            Effect::TakeSaleBack { reason } => self.take_back(order, &reason, deadline).await,
        }
    }

    async fn release(
        &self,
        order: &Order,
        reason: &Reason,
        deadline: Instant,
    ) -> Result<Ending, StockError> {
        let products = products(order);
        self.stock
            .restore(order.id, &products, reason, deadline)
            .await
    }

    async fn sell(&self, order: &Order, deadline: Instant) -> Result<Ending, StockError> {
        match self.stock.confirm(order.id, deadline).await {
            // Too late. Releasing it asks the ledger why and makes sure that it has ended.
            Err(StockError::Refused(refusal))
                if matches!(refusal.code, ErrorCode::HoldEnded | ErrorCode::NotFound) =>
            {
                self.release(order, &Reason::EXPIRED, deadline).await
            }
            result => result,
        }
    }

    async fn take_back(
        &self,
        order: &Order,
        reason: &Reason,
        deadline: Instant,
    ) -> Result<Option<Ending>, StockError> {
        let products = products(order);
        let taken_back = self.stock.take_back(order.id, &products, reason, deadline);
        match taken_back.await {
            Ok(ending) if ending.outcome == Outcome::Sold => Err(StockError::Broken(
                "the sale stands: product-service does not know return_sold".to_owned(),
            )),
            Err(StockError::Refused(refusal)) if refusal.code == ErrorCode::NotFound => Ok(None),
            result => result.map(Some),
        }
    }
}

fn products(order: &Order) -> Vec<ProductId> {
    order.lines.iter().map(|line| line.product_id).collect()
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

/// What has become known, as a command. The note is the buyer's who cancels.
fn follow(ending: Option<Ending>, command: &Command, now: Timestamp) -> Command {
    let Some(ending) = ending else {
        return Command::SaleForgotten;
    };
    let note = match command {
        Command::Cancel { note } => note.clone(),
        _ => None,
    };
    let at = ending.at.unwrap_or(now);
    match ending.outcome {
        Outcome::Sold => Command::HoldSold { at },
        Outcome::Released(reason) => Command::HoldReleased { at, reason, note },
    }
}

/// Whether the order ended because its deadline passed.
pub(crate) fn has_expired(order: &Order) -> bool {
    matches!(&order.state, State::Cancelled { reason, .. } if *reason == Reason::EXPIRED)
}
