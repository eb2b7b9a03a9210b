//! What buyers read, in Korean and English.

use domain::ErrorCode;

/// The message that goes with a code.
pub(super) fn words(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::OutOfStock => "재고가 모두 소진되었습니다. / Sold out.",
        ErrorCode::PerUserLimit => {
            "1인당 구매 한도를 초과했습니다. / This is more than one buyer may have."
        }
        ErrorCode::DealNotOpen => "진행 중인 핫딜이 아닙니다. / The deal is not open.",
        ErrorCode::HoldEnded => {
            "주문 확정 시간이 지나 재고가 반환되었습니다. / Too late: the stock is no longer held."
        }
        ErrorCode::IllegalTransition => {
            "현재 상태에서는 처리할 수 없는 주문입니다. / The order's state does not allow this."
        }
        ErrorCode::KeyReused | ErrorCode::OrderIdReused => {
            "이미 다른 내용의 주문에 사용된 키입니다. / This key was used for another order."
        }
        ErrorCode::Invalid => "요청 내용이 올바르지 않습니다. / The request is not valid.",
        ErrorCode::ProductNotFound => "존재하지 않는 상품입니다. / There is no such product.",
        ErrorCode::NotFound => "주문을 찾을 수 없습니다. / There is no such order.",
        ErrorCode::Unauthorized => "구매자를 확인할 수 없습니다. / The buyer is not known.",
        ErrorCode::RateLimited => {
            "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요. / Too many requests: try again soon."
        }
        ErrorCode::Overloaded => {
            "주문이 몰리고 있습니다. 잠시 후 다시 시도해 주세요. / We are full: try again soon."
        }
        ErrorCode::Unavailable => {
            "지금은 처리할 수 없습니다. 잠시 후 다시 시도해 주세요. / Not possible now: try again soon."
        }
        ErrorCode::Internal => "오류가 발생했습니다. / Something went wrong on our side.",
    }
}
