//! product-service as this service sees it: holds that are taken, sold and released by order id.
//!
//! - [`channels`]: the transports, and how calls are spread over them.
//! - [`calls`]: one method a call, each with a deadline and repeated with the same order id.
//! - `wire`: the wire's methods.
//! - `sold_out`: what is sold out, remembered for a moment.
//! - [`convert`]: from the wire's messages and statuses to the types below, the one place that knows.

pub mod calls;
pub mod channels;
pub mod convert;
mod sold_out;
mod wire;

use std::time::Duration;

use domain::{ErrorCode, ProductId, Timestamp};
use service_kit::problem::FieldError;

pub use calls::{Decrease, Leftover, NotHeld, Stock, StockOptions};
pub use channels::{Transport, connect, in_process};

use crate::order::{Line, Reason};

/// Stock that is held for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// One line a product, at the price that counts.
    pub lines: Vec<Line>,
    /// When the hold ends unless it is confirmed.
    pub expires_at: Timestamp,
}

/// How a hold ended, by product-service's ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Sold or released.
    pub outcome: Outcome,
    /// When; `None` if the ledger did not say.
    pub at: Option<Timestamp>,
}

/// The two ways a hold ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The units are the buyer's.
    Sold,
    /// The units are free: they went back, also after a sale.
    Released(Reason),
}

/// A call that brought no answer to build on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// product-service said no, finally.
    #[error("refused: {} ({})", .0.code, .0.message)]
    Refused(Refusal),
    /// product-service is full or the caller sends too much; nothing was begun.
    #[error("busy: {code}")]
    Busy {
        /// `RATE_LIMITED` or `OVERLOADED`.
        code: ErrorCode,
        /// When to come back.
        retry_after: Duration,
    },
    /// No answer within the deadline: it may have happened, or happen yet.
    #[error("no clear answer: {0}")]
    Unclear(String),
    /// An answer that this service cannot work with: a wrong token, a message out of range.
    #[error("unusable answer: {0}")]
    Broken(String),
}

/// Why product-service said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The reason in the shop's terms.
    pub code: ErrorCode,
    /// For people.
    pub message: String,
    /// Fields of the request and what is wrong with each.
    pub fields: Vec<FieldError>,
    /// It said no because nothing at all was left of a product.
    pub nothing_left: Option<NothingLeft>,
}

/// No unit is left of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NothingLeft {
    /// Of which.
    pub of: ProductId,
    /// For how long after it was asked for that may be believed.
    pub believed_for: Duration,
}
