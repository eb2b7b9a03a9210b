//! What callers are told when stock is not held, sold or released.

use domain::ProductId;

use crate::ledger::command::Refusal;

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StockError {
    /// The shop says no.
    #[error("refused: {0:?}")]
    Refused(Refusal),
    /// The lines of one product cannot be summed.
    #[error("lines of product {product_id}: {message}")]
    InvalidLines {
        /// Whose lines.
        product_id: ProductId,
        /// Which field of them.
        field: &'static str,
        /// What is wrong with them.
        message: String,
    },
    /// A field is out of range.
    #[error("{field}: {message}")]
    InvalidField {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// No such product, deal or hold.
    #[error("not found")]
    NotFound,
    /// A queue is full: try again a little later.
    #[error("too much is waiting")]
    Overloaded,
    /// Something that is needed does not answer; what became of the request is not known.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// The caller's deadline passed; what became of the request is not known.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// A fault of ours, in the log.
    #[error("internal error")]
    Internal,
}

impl From<sqlx::Error> for StockError {
    fn from(error: sqlx::Error) -> Self {
        if sql::is_retryable(&error) || sql::is_unclear(&error) {
            tracing::warn!(%error, "the database did not answer");
            Self::Unavailable("the database did not answer".into())
        } else {
            tracing::error!(%error, "the database refused a statement");
            Self::Internal
        }
    }
}
