//! Holding and ending stock for orders.
//!
//! - `decrease`: a request's way through routes, gate and ledger.
//! - `wanted`: lines summed and sorted. [`routes`]: which products are hot.
//! - `gate_line`: all requests that wait go through the gate together; winners to the ledger,
//!   losers answered. `ask`: one question per deal, and what the answers mean. `second_look`: a no that
//!   is not final is looked up first.
//! - `ledger_line`: all commands that wait go to the ledger together, and are answered after the commit.
//! - [`sold_out`]: what is sold out, remembered for a moment.
//! - `ending`: confirm, restore and take back; a shelf changed by hand. `error`: what callers are told.

mod ask;
mod decrease;
mod ending;
mod error;
pub(crate) mod gate_line;
pub(crate) mod ledger_line;
pub mod routes;
mod second_look;
pub mod sold_out;
mod wanted;

use std::{sync::Arc, time::Duration};

use service_kit::batcher::Call;
use tokio::time::{Instant, timeout_at};

pub(crate) use self::ending::unexpected;
pub use self::{decrease::Decrease, error::StockError, wanted::WantedLine};
use self::{gate_line::GateLine, ledger_line::Ledger, routes::Routes, sold_out::SoldOut};
use crate::{
    ledger::command::{Command, Outcome},
    store::Store,
};

/// A handle to all stock; clones share everything.
#[derive(Clone, Debug)]
pub struct Stock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    ledger: Ledger,
    routes: Routes,
    gate_line: Option<GateLine>,
    sold_out: SoldOut,
    hold_ttl: Duration,
}

impl Stock {
    /// Over its store and the queues before gate and ledger.
    pub(crate) fn new(
        store: Store,
        ledger: Ledger,
        gate_line: Option<GateLine>,
        sold_out: SoldOut,
        hold_ttl: Duration,
    ) -> Self {
        Self(Arc::new(Inner {
            store,
            ledger,
            routes: Routes::default(),
            gate_line,
            sold_out,
            hold_ttl,
        }))
    }

    /// One command straight to the ledger, answered after its commit.
    pub(crate) async fn ask_ledger(
        &self,
        command: Command,
        deadline: Option<Instant>,
    ) -> Result<Outcome, StockError> {
        let (call, reply) = Call::new(command, deadline);
        self.0
            .ledger
            .submit(call)
            .map_err(|_| StockError::Overloaded)?;
        reply_by(deadline, reply).await
    }

    pub(crate) fn routes(&self) -> &Routes {
        &self.0.routes
    }
}

/// The reply, unless the caller's deadline comes first. A call dropped without one says that the
/// outcome is not known, or, once the deadline has passed, that nothing was begun for it.
async fn reply_by(
    deadline: Option<Instant>,
    reply: tokio::sync::oneshot::Receiver<Outcome>,
) -> Result<Outcome, StockError> {
    let reply = match deadline {
        None => reply.await,
        Some(deadline) => timeout_at(deadline, reply)
            .await
            .map_err(|_| StockError::DeadlineExceeded)?,
    };
    // A worker that drops what nobody waits for any more may do so before the timer fires.
    let is_late = || deadline.is_some_and(|deadline| deadline <= Instant::now());
    reply.map_err(|_| match is_late() {
        true => StockError::DeadlineExceeded,
        false => StockError::Unavailable("the ledger did not answer".into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_dropped_at_its_deadline_has_missed_it_and_one_dropped_before_is_unknown() {
        let now = Instant::now();
        let dropped = |deadline| reply_by(deadline, tokio::sync::oneshot::channel().1);
        assert_eq!(
            dropped(Some(now)).await.unwrap_err(),
            StockError::DeadlineExceeded
        );
        for open in [None, Some(now + Duration::from_secs(1))] {
            let answer = dropped(open).await.unwrap_err();
            assert!(matches!(answer, StockError::Unavailable(_)), "{answer:?}");
        }
    }
}
