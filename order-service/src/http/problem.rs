//! From refusals and failures to answers, the one place that knows.

use std::{sync::LazyLock, time::Duration};

use axum::response::{IntoResponse as _, Response};
use domain::ErrorCode;
use service_kit::problem::{FieldError, Problem, Written};

use super::words::words;
use crate::{
    confirm::NotConfirmed,
    ending::NotEnded,
    place::{NotPlaced, inserter::NotInserted},
    stock::{Refusal, StockError},
    store::StoreError,
};

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The answer for a code, with its words and, if it makes sense, when to come back.
pub(super) fn of(code: ErrorCode) -> Problem {
    let problem = Problem::new(code.http_status(), code.as_str(), words(code));
    if code.is_retryable() {
        problem.retry_after(RETRY_AFTER)
    } else {
        problem
    }
}

/// What nearly everybody is answered in a flash sale: written once.
pub(super) fn sold_out() -> Response {
    static ANSWER: LazyLock<Written> = LazyLock::new(|| of(ErrorCode::OutOfStock).into());
    ANSWER.clone().into_response()
}

/// Bad input, every field of it.
pub(super) fn invalid(fields: Vec<FieldError>) -> Problem {
    Problem {
        fields,
        ..of(ErrorCode::Invalid)
    }
}

pub(super) fn not_placed(error: NotPlaced) -> Problem {
    match error {
        NotPlaced::KeyReused => of(ErrorCode::KeyReused),
        NotPlaced::Stock(StockError::Refused(refusal)) => refused(refusal),
        NotPlaced::Stock(error) => stock(&error),
        NotPlaced::Insert(NotInserted::Full) => of(ErrorCode::Overloaded),
        NotPlaced::Insert(NotInserted::Refused) => of(ErrorCode::Internal),
        NotPlaced::Insert(error) => {
            tracing::warn!(%error, "an order was not placed");
            of(ErrorCode::Unavailable)
        }
        NotPlaced::Store(error) => store(&error),
    }
}

pub(super) fn not_confirmed(error: NotConfirmed) -> Problem {
    match error {
        NotConfirmed::HoldEnded => of(ErrorCode::HoldEnded),
        NotConfirmed::Illegal(_) => of(ErrorCode::IllegalTransition),
        NotConfirmed::NotEnded(error) => not_ended(&error),
    }
}

pub(super) fn not_ended(error: &NotEnded) -> Problem {
    match error {
        NotEnded::NotFound => of(ErrorCode::NotFound),
        NotEnded::Illegal { .. } => of(ErrorCode::IllegalTransition),
        NotEnded::Stock(error) => stock(error),
        NotEnded::Store(error) => store(error),
        NotEnded::Contended => of(ErrorCode::Unavailable),
    }
}

pub(super) fn store(error: &StoreError) -> Problem {
    tracing::error!(%error, "the orders could not be read or written");
    match error {
        StoreError::Database(_) => of(ErrorCode::Unavailable),
        StoreError::Corrupt { .. } => of(ErrorCode::Internal),
    }
}

fn stock(error: &StockError) -> Problem {
    match error {
        StockError::Busy { code, retry_after } => of(*code).retry_after(*retry_after),
        StockError::Unclear(_) | StockError::Refused(_) | StockError::Broken(_) => {
            tracing::warn!(%error, "product-service brought no usable answer");
            of(ErrorCode::Unavailable)
        }
    }
}

/// The shop says no to an order.
fn refused(refusal: Refusal) -> Problem {
    let code = match refusal.code {
        // Only products can be unknown to product-service here.
        ErrorCode::NotFound => ErrorCode::ProductNotFound,
        code => code,
    };
    Problem {
        fields: refusal.fields,
        ..of(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_keeps_its_code_and_its_fields() {
        let problem = refused(Refusal {
            code: ErrorCode::ProductNotFound,
            message: String::new(),
            fields: vec![FieldError::new("items[1].product_id", "unknown")],
            nothing_left: None,
        });
        assert_eq!((problem.status, problem.error), (422, "PRODUCT_NOT_FOUND"));
        assert_eq!(problem.fields[0].field, "items[1].product_id");
        assert_eq!(problem.retry_after, None);
    }

    #[test]
    fn what_cannot_be_done_now_says_when_to_come_back() {
        let full = not_placed(NotInserted::Full.into());
        assert_eq!((full.status, full.error), (503, "OVERLOADED"));
        assert!(full.retry_after.is_some());
        let busy = StockError::Busy {
            code: ErrorCode::RateLimited,
            retry_after: Duration::from_secs(7),
        };
        let limited = not_placed(busy.into());
        assert_eq!(
            (limited.status, limited.retry_after),
            (429, Some(Duration::from_secs(7)))
        );
        let unknown = not_placed(NotInserted::Unknown.into());
        assert_eq!((unknown.status, unknown.error), (503, "UNAVAILABLE"));
    }
}
