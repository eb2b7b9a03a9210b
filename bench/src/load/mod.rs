//! Load on something that answers: how much, how fast, and what it said.
//!
//! - [`Caller`]: one client that asks one thing at a time; [`http`] and [`grpc`] are the two there are.
//! - [`closed`](fn@closed): a fixed number of callers, each asks again as soon as it is answered.
//! - [`open`](fn@open): a constant rate whatever the answers; latency counts from the moment a request was
//!   due, so that a stall is seen by all who would have come meanwhile.
//! - [`tally`]: what was answered, and a histogram of how long it took. [`Window`]: when that counts.

mod closed;
pub mod grpc;
pub mod http;
mod open;
pub mod tally;

use std::time::Duration;

use tokio::time::Instant;

pub use self::{
    closed::closed,
    open::open,
    tally::{Answer, Load},
};

/// One client: it asks one thing at a time.
pub trait Caller {
    /// Asks once and says what was answered.
    fn call(&mut self) -> impl Future<Output = Answer>;
}

/// How long load is put on, and which part of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Load before the measurement: connections, caches and plans get warm. It is discarded.
    pub warm_up: Duration,
    /// The measurement.
    pub measured: Duration,
}

/// A window on the clock.
#[derive(Debug, Clone, Copy)]
struct Span {
    begins_at: Instant,
    ends_at: Instant,
}

impl Window {
    fn span(self, now: Instant) -> Span {
        let begins_at = now + self.warm_up;
        Span {
            begins_at,
            ends_at: begins_at + self.measured,
        }
    }
}

impl Span {
    fn contains(self, at: Instant) -> bool {
        self.begins_at <= at && at < self.ends_at
    }
}

/// A caller made of a closure, for tests.
#[cfg(test)]
pub(crate) struct Answering<F>(pub(crate) F);

#[cfg(test)]
impl<F: AsyncFnMut() -> Answer> Caller for Answering<F> {
    async fn call(&mut self) -> Answer {
        (self.0)().await
    }
}
