//! What every wire says of a refusal: its fixed code, and words for people.

use domain::{ErrorCode, ProductId};
use service_kit::problem::FieldError;

use crate::ledger::command::Refusal;

/// Words for a fault of ours; what it was stands in the log.
pub(crate) const OUR_FAULT: &str = "something went wrong on our side";

/// The fixed code.
pub(crate) fn code(refusal: Refusal) -> ErrorCode {
    match refusal {
        Refusal::OutOfStock(_) => ErrorCode::OutOfStock,
        Refusal::PerUserLimit(_) => ErrorCode::PerUserLimit,
        Refusal::DealNotOpen(_) => ErrorCode::DealNotOpen,
        Refusal::DealPaused(_) | Refusal::DealNotScheduled(_) => ErrorCode::IllegalTransition,
        Refusal::ProductNotFound(_) => ErrorCode::ProductNotFound,
        Refusal::ForeignDeal(_) | Refusal::AmountTooLarge(_) => ErrorCode::Invalid,
        Refusal::HoldEnded => ErrorCode::HoldEnded,
        Refusal::OrderIdReused => ErrorCode::OrderIdReused,
    }
}

/// For people; the product it concerns is named by its id.
pub(crate) fn message(refusal: Refusal) -> String {
    match refusal {
        Refusal::OutOfStock(id) => format!("too few units of product {id} are left"),
        Refusal::PerUserLimit(id) => {
            format!("the buyer would exceed the limit of product {id}'s deal")
        }
        Refusal::DealNotOpen(id) => format!("the deal of product {id} does not run now"),
        Refusal::DealPaused(id) => {
            format!("the deal of product {id} is paused: resume it, or end it first")
        }
        Refusal::DealNotScheduled(id) => {
            format!("the deal of product {id} has opened already: end it instead")
        }
        Refusal::ProductNotFound(id) => format!("there is no product {id}"),
        Refusal::ForeignDeal(id) => format!("is not a deal of product {id}"),
        Refusal::AmountTooLarge(id) => {
            format!("the price of that many units of product {id} is too large")
        }
        Refusal::HoldEnded => "the order's hold has ended".to_owned(),
        Refusal::OrderIdReused => "the order id came with other lines before".to_owned(),
    }
}

/// Every wrong field with what is wrong with it, in one line.
pub(crate) fn fields(wrong: &[FieldError]) -> String {
    let words: Vec<String> = wrong
        .iter()
        .map(|one| format!("{}: {}", one.field, one.message))
        .collect();
    words.join("; ")
}

/// The product it concerns, if it is about one line.
pub(crate) fn product(refusal: Refusal) -> Option<ProductId> {
    match refusal {
        Refusal::OutOfStock(id)
        | Refusal::PerUserLimit(id)
        | Refusal::DealNotOpen(id)
        | Refusal::DealPaused(id)
        | Refusal::DealNotScheduled(id)
        | Refusal::ProductNotFound(id)
        | Refusal::ForeignDeal(id)
        | Refusal::AmountTooLarge(id) => Some(id),
        Refusal::HoldEnded | Refusal::OrderIdReused => None,
    }
}
