//! The one mapping of errors to problems.

use std::time::Duration;

use domain::ErrorCode;
use service_kit::{
    openapi::Refusals,
    problem::{FieldError, Problem},
    refusals,
};

use crate::{catalog::CatalogError, stock::StockError, words};

/// When a caller may try again after the service was full or something did not answer.
const RETRY_DELAY: Duration = Duration::from_secs(1);

refusals!(
    NeedsOpenDeal = Refusals::new()
        .parameters()
        .body()
        .unauthorized()
        .also(ErrorCode::documented(&[
            ErrorCode::NotFound,
            ErrorCode::DealNotOpen
        ]))
);

/// A problem with the status that goes with its code.
pub(super) fn problem(code: ErrorCode, message: impl Into<String>) -> Problem {
    let problem = Problem::new(code.http_status(), code.as_str(), message);
    if code.is_retryable() {
        problem.retry_after(RETRY_DELAY)
    } else {
        problem
    }
}

/// 422 that names every wrong field.
pub(super) fn invalid(fields: Vec<FieldError>) -> Problem {
    let mut problem = problem(ErrorCode::Invalid, words::fields(&fields));
    problem.fields = fields;
    problem
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Invalid(fields) => invalid(fields),
            CatalogError::NotFound => StockError::NotFound.into(),
            CatalogError::Database(error) => StockError::from(error).into(),
        }
    }
}

impl From<StockError> for Problem {
    fn from(error: StockError) -> Self {
        match error {
            StockError::Refused(refusal) => problem(words::code(refusal), words::message(refusal)),
            StockError::InvalidField { field, message } => {
                invalid(vec![FieldError::new(field, message)])
            }
            StockError::InvalidLines { message, .. } => problem(ErrorCode::Invalid, message),
            StockError::NotFound => problem(ErrorCode::NotFound, "no such product or deal"),
            StockError::Overloaded => problem(ErrorCode::Overloaded, "too much is waiting"),
            StockError::Unavailable(message) => problem(ErrorCode::Unavailable, message),
            StockError::DeadlineExceeded => {
                problem(ErrorCode::Unavailable, "the request took too long")
            }
            StockError::Internal => problem(ErrorCode::Internal, words::OUR_FAULT),
        }
    }
}
