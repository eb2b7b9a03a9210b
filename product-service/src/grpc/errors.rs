//! The one mapping of errors to statuses, with the details that programs look at.

use std::{collections::HashMap, time::Duration};

use domain::{
    ErrorCode, ProductId,
    error_code::{ERROR_DOMAIN, PRODUCT_ID, SOLD_OUT_MS},
};
use service_kit::problem::FieldError;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::{
    catalog::CatalogError,
    ledger::command::Refusal,
    stock::{StockError, WantedLine},
    words,
};

/// When a caller may try again after the service was full or something did not answer.
const RETRY_DELAY: Duration = Duration::from_millis(100);

/// Wrong fields that an answer names. A status travels in a header, and clients take no more than some
/// 16 kB of those.
const VIOLATIONS_MAX: usize = 20;

/// `INVALID_ARGUMENT` that names every wrong field.
pub(super) fn invalid(fields: Vec<FieldError>) -> Status {
    bad_request(ErrorCode::Invalid, fields)
}

/// `UNAUTHENTICATED`.
pub(super) fn unauthorized() -> Status {
    let message = "a valid bearer token is required";
    with_info(Code::Unauthenticated, ErrorCode::Unauthorized, message)
}

/// `DEADLINE_EXCEEDED`: what became of the request is not known.
pub(super) fn deadline_exceeded() -> Status {
    Status::deadline_exceeded("the deadline passed")
}

/// `NOT_FOUND`.
pub(super) fn not_found(what: &str) -> Status {
    with_info(
        Code::NotFound,
        ErrorCode::NotFound,
        &format!("no such {what}"),
    )
}

/// An error of the catalogue; `what` was looked for.
pub(super) fn of_catalog(error: CatalogError, what: &str) -> Status {
    match error {
        CatalogError::Invalid(fields) => invalid(fields),
        CatalogError::NotFound => not_found(what),
        CatalogError::Database(error) => of_stock(error.into(), what, &[]),
    }
}

/// An error of stock or deals; `what` was looked for, and `lines` are the request's items in
/// their order.
pub(super) fn of_stock(error: StockError, what: &str, lines: &[WantedLine]) -> Status {
    match error {
        StockError::Refused(refusal) => refused(refusal, lines),
        StockError::InvalidLines {
            product_id,
            field,
            message,
        } => {
            // Other lines of the product may name no deal, and are right then.
            let is_its = |line: &WantedLine| {
                line.product_id == product_id && (field != "deal_id" || line.deal_id.is_some())
            };
            invalid(of_items(lines, is_its, field, &message))
        }
        StockError::InvalidField { field, message } => {
            invalid(vec![FieldError::new(field, message)])
        }
        StockError::NotFound => not_found(what),
        StockError::Overloaded => retry_later(ErrorCode::Overloaded, "too much is waiting"),
        StockError::Unavailable(message) => retry_later(ErrorCode::Unavailable, &message),
        StockError::DeadlineExceeded => deadline_exceeded(),
        StockError::Internal => with_info(Code::Internal, ErrorCode::Internal, words::OUR_FAULT),
    }
}

/// `INVALID_ARGUMENT` with the reason `PRODUCT_NOT_FOUND`.
pub(super) fn unknown_product(product_id: ProductId, lines: &[WantedLine]) -> Status {
    refused(Refusal::ProductNotFound(product_id), lines)
}

fn refused(refusal: Refusal, lines: &[WantedLine]) -> Status {
    let (code, message) = (words::code(refusal), words::message(refusal));
    let in_field = |name: &str, is_meant: &dyn Fn(&WantedLine) -> bool| {
        bad_request(code, of_items(lines, is_meant, name, &message))
    };
    match refusal {
        Refusal::ProductNotFound(id) => in_field("product_id", &|line| line.product_id == id),
        // Other lines of the product may name no deal, and are right then.
        Refusal::ForeignDeal(id) => in_field("deal_id", &|line| {
            line.product_id == id && line.deal_id.is_some()
        }),
        Refusal::AmountTooLarge(id) => in_field("quantity", &|line| line.product_id == id),
        Refusal::OrderIdReused => with_info(Code::AlreadyExists, code, &message),
        Refusal::OutOfStock(_)
        | Refusal::PerUserLimit(_)
        | Refusal::DealNotOpen(_)
        | Refusal::DealPaused(_)
        | Refusal::DealNotScheduled(_)
        | Refusal::HoldEnded => {
            let about = words::product(refusal).map(|id| (PRODUCT_ID.to_owned(), id.to_string()));
            failed_precondition(code, message, HashMap::from_iter(about))
        }
    }
}

/// Too few units are left. `sold_out_for`: none at all, and for how long that may be believed.
pub(super) fn out_of_stock(product_id: ProductId, sold_out_for: Option<Duration>) -> Status {
    let refusal = Refusal::OutOfStock(product_id);
    let mut about = HashMap::from([(PRODUCT_ID.to_owned(), product_id.to_string())]);
    let millis = sold_out_for.map_or(0, |left| left.as_millis());
    if millis > 0 {
        about.insert(SOLD_OUT_MS.to_owned(), millis.to_string());
    }
    failed_precondition(words::code(refusal), words::message(refusal), about)
}

fn failed_precondition(code: ErrorCode, message: String, about: HashMap<String, String>) -> Status {
    let details = ErrorDetails::with_error_info(code.as_str(), ERROR_DOMAIN, about);
    Status::with_error_details(Code::FailedPrecondition, message, details)
}

/// The field `name` of every item that `is_meant`.
fn of_items(
    lines: &[WantedLine],
    is_meant: impl Fn(&WantedLine) -> bool,
    name: &str,
    message: &str,
) -> Vec<FieldError> {
    lines
        .iter()
        .enumerate()
        .filter(|(_, line)| is_meant(line))
        .map(|(index, _)| FieldError::new(format!("items[{index}].{name}"), message))
        .collect()
}

/// The first of many, and how many more there are. Only the lines of a request can be so many.
fn shortened(mut fields: Vec<FieldError>) -> Vec<FieldError> {
    if fields.len() > VIOLATIONS_MAX {
        let more = fields.split_off(VIOLATIONS_MAX - 1).len();
        fields.push(FieldError::new("items", format!("… and {more} more")));
    }
    fields
}

fn bad_request(code: ErrorCode, fields: Vec<FieldError>) -> Status {
    let fields = shortened(fields);
    let message = words::fields(&fields);
    let violations: Vec<FieldViolation> = fields
        .into_iter()
        .map(|wrong| FieldViolation::new(wrong.field, wrong.message))
        .collect();
    let mut details = ErrorDetails::with_bad_request(violations);
    details.set_error_info(code.as_str(), ERROR_DOMAIN, HashMap::new());
    Status::with_error_details(Code::InvalidArgument, message, details)
}

fn retry_later(code: ErrorCode, message: &str) -> Status {
    let mut details = ErrorDetails::with_retry_info(Some(RETRY_DELAY));
    details.set_error_info(code.as_str(), ERROR_DOMAIN, HashMap::new());
    Status::with_error_details(Code::Unavailable, message, details)
}

fn with_info(status: Code, code: ErrorCode, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(code.as_str(), ERROR_DOMAIN, HashMap::new());
    Status::with_error_details(status, message, details)
}

#[cfg(test)]
mod tests {
    use domain::{DealId, Quantity};

    use super::*;

    fn product(last: u8) -> ProductId {
        format!("0192f0c1-7b5e-7000-8000-0000000000{last:02}")
            .parse()
            .unwrap()
    }

    fn line(last: u8) -> WantedLine {
        WantedLine {
            product_id: product(last),
            quantity: Quantity::try_from(1).unwrap(),
            deal_id: None,
        }
    }

    fn fields(status: &Status) -> Vec<String> {
        let request = status.get_details_bad_request().unwrap();
        request
            .field_violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    fn reason(status: &Status) -> String {
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.domain, ERROR_DOMAIN);
        info.reason
    }

    #[test]
    fn every_refusal_has_its_status_and_reason() {
        let lines = [line(1), line(2)];
        let id = product(2);
        for (refusal, code, expected) in [
            (
                Refusal::OutOfStock(id),
                Code::FailedPrecondition,
                "OUT_OF_STOCK",
            ),
            (
                Refusal::PerUserLimit(id),
                Code::FailedPrecondition,
                "PER_USER_LIMIT",
            ),
            (
                Refusal::DealNotOpen(id),
                Code::FailedPrecondition,
                "DEAL_NOT_OPEN",
            ),
            (Refusal::HoldEnded, Code::FailedPrecondition, "HOLD_ENDED"),
            (
                Refusal::OrderIdReused,
                Code::AlreadyExists,
                "ORDER_ID_REUSED",
            ),
            (
                Refusal::ProductNotFound(id),
                Code::InvalidArgument,
                "PRODUCT_NOT_FOUND",
            ),
            (Refusal::ForeignDeal(id), Code::InvalidArgument, "INVALID"),
            (
                Refusal::AmountTooLarge(id),
                Code::InvalidArgument,
                "INVALID",
            ),
        ] {
            let status = of_stock(StockError::Refused(refusal), "hold", &lines);
            assert_eq!(
                (status.code(), reason(&status).as_str()),
                (code, expected),
                "{refusal:?}"
            );
        }
    }

    #[test]
    fn a_bad_line_is_named_by_its_place_among_the_items() {
        let with_deal = WantedLine {
            deal_id: Some(DealId(product(9).0)),
            ..line(1)
        };
        let lines = [line(1), line(2), line(2), with_deal];
        let foreign = of_stock(
            StockError::Refused(Refusal::ForeignDeal(product(1))),
            "hold",
            &lines,
        );
        assert_eq!(fields(&foreign), ["items[3].deal_id"]);
        let summed = StockError::InvalidLines {
            product_id: product(2),
            field: "quantity",
            message: "too many".into(),
        };
        let summed = of_stock(summed, "hold", &lines);
        assert_eq!(fields(&summed), ["items[1].quantity", "items[2].quantity"]);
    }

    #[test]
    fn two_deals_for_one_product_are_the_fault_of_the_lines_that_name_them() {
        let with_deal = |last| WantedLine {
            deal_id: Some(DealId(product(last).0)),
            ..line(1)
        };
        let lines = [line(1), with_deal(8), with_deal(9), line(2)];
        let error = StockError::InvalidLines {
            product_id: product(1),
            field: "deal_id",
            message: "name one deal, not several".into(),
        };
        let status = of_stock(error, "hold", &lines);
        assert_eq!(fields(&status), ["items[1].deal_id", "items[2].deal_id"]);
    }

    #[test]
    fn of_many_wrong_fields_the_first_are_named_and_the_others_counted() {
        let wrong = |count: usize| {
            let fields =
                (0..count).map(|index| FieldError::new(format!("items[{index}]"), "is wrong"));
            let status = invalid(fields.collect());
            let request = status.get_details_bad_request().unwrap();
            (status, request.field_violations)
        };
        assert_eq!(wrong(20).1.len(), 20);
        let (status, violations) = wrong(200);
        assert_eq!(violations.len(), 20);
        assert_eq!(violations[18].field, "items[18]");
        assert_eq!(violations[19].description, "… and 181 more");
        assert!(status.message().ends_with("… and 181 more"), "{status}");
    }

    #[test]
    fn only_nothing_at_all_is_said_to_be_believable_and_in_whole_milliseconds() {
        let said = |sold_out_for| {
            let status = out_of_stock(product(1), sold_out_for);
            let info = status.get_details_error_info().unwrap();
            assert_eq!(info.reason, "OUT_OF_STOCK");
            assert_eq!(info.metadata[PRODUCT_ID], product(1).to_string());
            info.metadata.get(SOLD_OUT_MS).cloned()
        };
        assert_eq!(said(None), None);
        assert_eq!(said(Some(Duration::from_micros(999))), None);
        let some = said(Some(Duration::from_micros(49_999)));
        assert_eq!(some.as_deref(), Some("49"));
    }

    #[test]
    fn what_may_succeed_later_says_when() {
        for error in [
            StockError::Overloaded,
            StockError::Unavailable("away".into()),
        ] {
            let status = of_stock(error, "hold", &[]);
            assert_eq!(status.code(), Code::Unavailable);
            let info = status.get_details_retry_info().unwrap();
            assert_eq!(info.retry_delay, Some(RETRY_DELAY));
        }
    }
}
