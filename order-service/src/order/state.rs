//! The states of an order and why it ended.

use std::{borrow::Cow, fmt, str::FromStr};

use domain::Timestamp;

/// Where an order stands, with what belongs to that state alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// The stock is held, the buyer has not decided.
    Pending,
    /// Sold; final unless it is cancelled.
    Confirmed {
        /// When the hold was sold.
        at: Timestamp,
    },
    /// Sold, and to be cancelled: its units are on their way back. For readers it is confirmed until
    /// they are there, and it cannot be confirmed any more.
    Cancelling {
        /// When the hold was sold.
        confirmed_at: Timestamp,
        /// Since when.
        at: Timestamp,
        /// Why.
        reason: Reason,
        /// The buyer's own words; only with [`Reason::CANCELLED_BY_USER`].
        note: Option<String>,
    },
    /// Its units are free again; final.
    Cancelled {
        /// When the hold was released, or its sale taken back.
        at: Timestamp,
        /// Why.
        reason: Reason,
        /// The buyer's own words; only with [`Reason::CANCELLED_BY_USER`].
        note: Option<String>,
        /// When the hold had been sold, if it had.
        confirmed_at: Option<Timestamp>,
    },
    /// Could not be fulfilled; final.
    Failed {
        /// When it failed.
        at: Timestamp,
        /// Why.
        reason: Reason,
    },
}

impl State {
    /// The state's name.
    pub fn status(&self) -> Status {
        match self {
            Self::Pending => Status::Pending,
            Self::Confirmed { .. } | Self::Cancelling { .. } => Status::Confirmed,
            Self::Cancelled { .. } => Status::Cancelled,
            Self::Failed { .. } => Status::Failed,
        }
    }

    /// Why the order has ended without a sale.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::Cancelled { reason, .. } | Self::Failed { reason, .. } => Some(reason),
            Self::Pending | Self::Confirmed { .. } | Self::Cancelling { .. } => None,
        }
    }
}

/// The name of a [`State`], as it stands in the database and on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, utoipa::ToSchema)]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// See [`State::Pending`].
    Pending,
    /// See [`State::Confirmed`] and [`State::Cancelling`].
    Confirmed,
    /// See [`State::Cancelled`].
    Cancelled,
    /// See [`State::Failed`].
    Failed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [
        Self::Pending,
        Self::Confirmed,
        Self::Cancelled,
        Self::Failed,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Cancelled => "CANCELLED",
            Self::Failed => "FAILED",
        }
    }
}

/// Text that names no [`Status`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be PENDING, CONFIRMED, CANCELLED or FAILED")]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(UnknownStatus)
    }
}

/// Why an order ended without a sale: 1 to 64 characters of `A`–`Z`, `0`–`9` and `_`.
///
/// product-service's ledger may carry reasons that this service never sends, hence no enum.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason(Cow<'static, str>);

/// Text that is no [`Reason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 characters of A-Z, 0-9 and _")]
pub struct InvalidReason;

impl Reason {
    /// The hold's deadline passed before the order was confirmed.
    pub const EXPIRED: Self = Self(Cow::Borrowed("EXPIRED"));
    /// The buyer cancelled.
    pub const CANCELLED_BY_USER: Self = Self(Cow::Borrowed("CANCELLED_BY_USER"));
    /// The order was never stored, so nobody can confirm it.
    pub const NOT_PLACED: Self = Self(Cow::Borrowed("NOT_PLACED"));

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = InvalidReason;
    fn from_str(text: &str) -> Result<Self, InvalidReason> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(InvalidReason)
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an order is fulfilled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// Stock is held first; the caller confirms or cancels, or the hold expires.
    Hold,
    /// Accepted at once, stock by event.
    Accept,
    /// Payment, then stock, then notification.
    Sequential,
    /// Stock, payment and coupon at once.
    Parallel,
    /// A workflow definition.
    Workflow,
}

impl Flow {
    const ALL: [Self; 5] = [
        Self::Hold,
        Self::Accept,
        Self::Sequential,
        Self::Parallel,
        Self::Workflow,
    ];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Accept => "accept",
            Self::Sequential => "sequential",
            Self::Parallel => "parallel",
            Self::Workflow => "workflow",
        }
    }
}

/// Text that names no [`Flow`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown flow")]
pub struct UnknownFlow;

impl FromStr for Flow {
    type Err = UnknownFlow;
    fn from_str(text: &str) -> Result<Self, UnknownFlow> {
        Self::ALL
            .into_iter()
            .find(|flow| flow.as_str() == text)
            .ok_or(UnknownFlow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_flows_are_read_back_from_their_text() {
        for status in Status::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        for flow in Flow::ALL {
            assert_eq!(flow.as_str().parse(), Ok(flow));
        }
        assert_eq!("pending".parse::<Status>(), Err(UnknownStatus));
        assert_eq!("HOLD".parse::<Flow>(), Err(UnknownFlow));
    }

    #[test]
    fn a_reason_is_upper_snake_case() {
        assert_eq!("EXPIRED".parse(), Ok(Reason::EXPIRED));
        for text in ["", "expired", "A B", &"A".repeat(65), "재고"] {
            assert_eq!(text.parse::<Reason>(), Err(InvalidReason), "{text:?}");
        }
    }
}
