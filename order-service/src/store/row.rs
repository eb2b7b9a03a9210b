//! Between a row of `orders` and an [`Order`].

use domain::{DealId, Money, OrderId, ProductId, Quantity, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use super::StoreError;
use crate::order::{Fingerprint, Line, Order, ShippingAddress, State, Status};

/// The columns of [`OrderRow`], for statements that read orders.
macro_rules! columns {
    () => {
        "id, user_id, status, reason, flow, items, total_amount, shipping_address, fingerprint, \
         cancel_reason, expires_at_us, created_at_us, updated_at_us, confirmed_at_us, \
         cancelled_at_us, version, cancelling_at_us, cancelling_reason"
    };
}
pub(super) use columns;

/// One row, as it is stored.
#[derive(Debug, FromRow)]
pub(super) struct OrderRow {
    pub(super) id: Uuid,
    user_id: Uuid,
    status: String,
    reason: Option<String>,
    flow: String,
    items: Json<Vec<StoredLine>>,
    total_amount: i64,
    shipping_address: Option<Json<ShippingAddress>>,
    fingerprint: Option<Vec<u8>>,
    cancel_reason: Option<String>,
    expires_at_us: i64,
    created_at_us: i64,
    updated_at_us: i64,
    confirmed_at_us: Option<i64>,
    cancelled_at_us: Option<i64>,
    version: i64,
    cancelling_at_us: Option<i64>,
    cancelling_reason: Option<String>,
}

/// A line inside the column `items`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredLine {
    id: Uuid,
    product_id: ProductId,
    product_name: String,
    quantity: i64,
    unit_price: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deal_id: Option<DealId>,
}

impl From<&Line> for StoredLine {
    fn from(line: &Line) -> Self {
        Self {
            id: line.id,
            product_id: line.product_id,
            product_name: line.product_name.clone(),
            quantity: line.quantity.units(),
            unit_price: line.unit_price.minor(),
            deal_id: line.deal_id,
        }
    }
}

impl TryFrom<StoredLine> for Line {
    type Error = ();
    fn try_from(stored: StoredLine) -> Result<Self, ()> {
        let quantity = Quantity::try_from(stored.quantity).map_err(|_| ())?;
        let unit_price = Money::try_from(stored.unit_price).map_err(|_| ())?;
        Ok(Self {
            id: stored.id,
            product_id: stored.product_id,
            product_name: stored.product_name,
            quantity,
            unit_price,
            subtotal: unit_price.checked_mul(quantity).map_err(|_| ())?,
            deal_id: stored.deal_id,
        })
    }
}

impl TryFrom<OrderRow> for Order {
    type Error = StoreError;
    fn try_from(row: OrderRow) -> Result<Self, StoreError> {
        let id = row.id;
        let corrupt = |column| StoreError::Corrupt { id, column };
        let state = state(&row)?;
        let lines = row.items.0.into_iter().map(Line::try_from);
        let fingerprint = match row.fingerprint {
            Some(bytes) => {
                let bytes = bytes.try_into().map_err(|_| corrupt("fingerprint"))?;
                Some(Fingerprint(bytes))
            }
            None => None,
        };
        Ok(Self {
            id: OrderId(id),
            user_id: UserId(row.user_id),
            flow: row.flow.parse().map_err(|_| corrupt("flow"))?,
            state,
            lines: lines
                .collect::<Result<_, ()>>()
                .map_err(|()| corrupt("items"))?,
            total: Money::try_from(row.total_amount).map_err(|_| corrupt("total_amount"))?,
            shipping_address: row.shipping_address.map(|address| address.0),
            fingerprint,
            expires_at: Timestamp::from_micros(row.expires_at_us),
            created_at: Timestamp::from_micros(row.created_at_us),
            updated_at: Timestamp::from_micros(row.updated_at_us),
            version: row.version,
        })
    }
}

fn state(row: &OrderRow) -> Result<State, StoreError> {
    let corrupt = |column| StoreError::Corrupt { id: row.id, column };
    let status: Status = row.status.parse().map_err(|_| corrupt("status"))?;
    let at = |micros: Option<i64>, column| {
        micros
            .map(Timestamp::from_micros)
            .ok_or_else(|| corrupt(column))
    };
    let code = |text: Option<&str>, column| {
        let text = text.ok_or_else(|| corrupt(column))?;
        text.parse().map_err(|_| corrupt(column))
    };
    let reason = || code(row.reason.as_deref(), "reason");
    Ok(match status {
        Status::Pending => State::Pending,
        Status::Confirmed => {
            let confirmed_at = at(row.confirmed_at_us, "confirmed_at_us")?;
            match row.cancelling_at_us {
                None => State::Confirmed { at: confirmed_at },
                Some(since) => State::Cancelling {
                    confirmed_at,
                    at: Timestamp::from_micros(since),
                    reason: code(row.cancelling_reason.as_deref(), "cancelling_reason")?,
                    note: row.cancel_reason.clone(),
                },
            }
        }
        Status::Cancelled => State::Cancelled {
            at: at(row.cancelled_at_us, "cancelled_at_us")?,
            reason: reason()?,
            note: row.cancel_reason.clone(),
            confirmed_at: row.confirmed_at_us.map(Timestamp::from_micros),
        },
        Status::Failed => State::Failed {
            at: at(row.cancelled_at_us, "cancelled_at_us")?,
            reason: reason()?,
        },
    })
}

/// The columns that follow from a state.
#[derive(Default)]
pub(super) struct StateColumns<'a> {
    pub(super) reason: Option<&'a str>,
    pub(super) cancel_reason: Option<&'a str>,
    pub(super) confirmed_at_us: Option<i64>,
    pub(super) cancelled_at_us: Option<i64>,
    pub(super) cancelling_at_us: Option<i64>,
    pub(super) cancelling_reason: Option<&'a str>,
}

impl<'a> From<&'a State> for StateColumns<'a> {
    fn from(state: &'a State) -> Self {
        match state {
            State::Pending => Self::default(),
            State::Confirmed { at } => Self {
                confirmed_at_us: Some(at.as_micros()),
                ..Self::default()
            },
            State::Cancelling {
                confirmed_at,
                at,
                reason,
                note,
            } => Self {
                confirmed_at_us: Some(confirmed_at.as_micros()),
                cancelling_at_us: Some(at.as_micros()),
                cancelling_reason: Some(reason.as_str()),
                cancel_reason: note.as_deref(),
                ..Self::default()
            },
            State::Cancelled {
                at,
                reason,
                note,
                confirmed_at,
            } => Self {
                reason: Some(reason.as_str()),
                cancelled_at_us: Some(at.as_micros()),
                cancel_reason: note.as_deref(),
                confirmed_at_us: confirmed_at.map(Timestamp::as_micros),
                ..Self::default()
            },
            State::Failed { at, reason } => Self {
                reason: Some(reason.as_str()),
                cancelled_at_us: Some(at.as_micros()),
                ..Self::default()
            },
        }
    }
}
