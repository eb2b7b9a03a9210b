//! The error codes of the public interface, one table for every wire.

use std::{fmt, str::FromStr, time::Duration};

/// Why a request was refused or failed. HTTP carries it as the member `error` of
/// `application/problem+json`, gRPC as the `reason` of a `google.rpc.ErrorInfo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// Too few units are left.
    OutOfStock,
    /// The buyer would hold more units of the deal than one buyer may.
    PerUserLimit,
    /// The deal does not run now.
    DealNotOpen,
    /// The order's hold has been released, or its deadline has passed.
    HoldEnded,
    /// The order's state does not allow this.
    IllegalTransition,
    /// The `Idempotency-Key` came with another body before.
    KeyReused,
    /// The order id came with other lines before.
    OrderIdReused,
    /// The request is malformed.
    Invalid,
    /// An order names a product that does not exist.
    ProductNotFound,
    /// No such thing, by path or id.
    NotFound,
    /// A token is missing or wrong.
    Unauthorized,
    /// The caller sends too much.
    RateLimited,
    /// The service is full.
    Overloaded,
    /// Something the service needs does not answer.
    Unavailable,
    /// A fault of ours.
    Internal,
}

/// Domain of every `google.rpc.ErrorInfo` that carries an [`ErrorCode`].
pub const ERROR_DOMAIN: &str = "hotdeal";

/// Key of an `ErrorInfo`'s metadata: the id of the product that the refusal is about.
pub const PRODUCT_ID: &str = "product_id";

/// Key of an `ErrorInfo`'s metadata beside [`PRODUCT_ID`]: nothing at all is left of the product, and for so many
/// whole milliseconds from now that may be believed without asking again.
pub const SOLD_OUT_MS: &str = "sold_out_ms";

/// Longer than this after the question nobody may be told from memory that something is sold out.
pub const SOLD_OUT_MEMORY_MAX: Duration = Duration::from_millis(50);

const ALL: [ErrorCode; 15] = [
    ErrorCode::OutOfStock,
    ErrorCode::PerUserLimit,
    ErrorCode::DealNotOpen,
    ErrorCode::HoldEnded,
    ErrorCode::IllegalTransition,
    ErrorCode::KeyReused,
    ErrorCode::OrderIdReused,
    ErrorCode::Invalid,
    ErrorCode::ProductNotFound,
    ErrorCode::NotFound,
    ErrorCode::Unauthorized,
    ErrorCode::RateLimited,
    ErrorCode::Overloaded,
    ErrorCode::Unavailable,
    ErrorCode::Internal,
];

impl ErrorCode {
    /// As it stands on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutOfStock => "OUT_OF_STOCK",
            Self::PerUserLimit => "PER_USER_LIMIT",
            Self::DealNotOpen => "DEAL_NOT_OPEN",
            Self::HoldEnded => "HOLD_ENDED",
            Self::IllegalTransition => "ILLEGAL_TRANSITION",
            Self::KeyReused => "KEY_REUSED",
            Self::OrderIdReused => "ORDER_ID_REUSED",
            Self::Invalid => "INVALID",
            Self::ProductNotFound => "PRODUCT_NOT_FOUND",
            Self::NotFound => "NOT_FOUND",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::RateLimited => "RATE_LIMITED",
            Self::Overloaded => "OVERLOADED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }

    /// The HTTP status that goes with it.
    pub fn http_status(self) -> u16 {
        match self {
            Self::OutOfStock
            | Self::PerUserLimit
            | Self::DealNotOpen
            | Self::HoldEnded
            | Self::IllegalTransition => 409,
            Self::KeyReused | Self::OrderIdReused | Self::Invalid | Self::ProductNotFound => 422,
            Self::NotFound => 404,
            Self::Unauthorized => 401,
            Self::RateLimited => 429,
            Self::Overloaded | Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }

    /// Codes with their statuses, as a document of the interface lists them.
    pub fn documented(codes: &[Self]) -> impl Iterator<Item = (u16, &'static str)> {
        codes.iter().map(|code| (code.http_status(), code.as_str()))
    }

    /// Whether the same request may succeed a little later.
    pub fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Overloaded | Self::Unavailable
        )
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that is no [`ErrorCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown error code")]
pub struct UnknownErrorCode;

impl FromStr for ErrorCode {
    type Err = UnknownErrorCode;
    fn from_str(text: &str) -> Result<Self, UnknownErrorCode> {
        ALL.into_iter()
            .find(|code| code.as_str() == text)
            .ok_or(UnknownErrorCode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_read_back_from_its_text() {
        for code in ALL {
            assert_eq!(code.as_str().parse(), Ok(code));
        }
        assert_eq!("NO_SUCH_CODE".parse::<ErrorCode>(), Err(UnknownErrorCode));
    }
}
