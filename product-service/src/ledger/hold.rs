//! A hold: the stock that an order id keeps, and how it ended.

use std::time::Duration;

use domain::{DealId, Money, OrderId, ProductId, Quantity, Timestamp, UserId};

/// The longest that stock may be held for an order.
pub const HOLD_TTL_MAX: Duration = Duration::from_secs(24 * 3600);

/// One product of a hold, with the name and price that counted when it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldLine {
    /// What is held.
    pub product_id: ProductId,
    /// The deal whose units they are; `None` for units of the shelf.
    pub deal_id: Option<DealId>,
    /// The product's name.
    pub name: String,
    /// How many units.
    pub quantity: Quantity,
    /// Price of one unit.
    pub unit_price: Money,
}

/// How a hold ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldEnd {
    /// Its units are sold.
    Sold {
        /// When it was confirmed.
        at: Timestamp,
    },
    /// Its units are free again; or, in a tombstone, there never were any.
    Released {
        /// When it was released.
        at: Timestamp,
        /// Why, for example `CANCELLED_BY_USER` or `EXPIRED`.
        reason: String,
    },
    /// Its units were sold, and are free again.
    Returned {
        /// When they were given back.
        at: Timestamp,
        /// Why, for example `CANCELLED_BY_USER`.
        reason: String,
    },
}

impl HoldEnd {
    /// When.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Sold { at } | Self::Released { at, .. } | Self::Returned { at, .. } => *at,
        }
    }

    /// Why, unless it was sold.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Sold { .. } => None,
            Self::Released { reason, .. } | Self::Returned { reason, .. } => Some(reason),
        }
    }
}

/// How far a hold has come. It ends once; only a sale may be taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HoldState {
    /// Its units are neither sold nor free.
    Open,
    /// It is over.
    Ended(HoldEnd),
}

/// One row of the ledger per order id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The order that holds.
    pub order_id: OrderId,
    /// Who buys; `None` in a tombstone.
    pub user_id: Option<UserId>,
    /// Sorted by product, one line a product; empty in a tombstone.
    pub lines: Vec<HeldLine>,
    /// When it was taken.
    pub created_at: Timestamp,
    /// When it can no longer be confirmed.
    pub expires_at: Timestamp,
    /// How far it has come.
    pub state: HoldState,
}

impl Hold {
    /// A row that keeps `order_id` from ever taking stock.
    pub fn tombstone(order_id: OrderId, reason: String, now: Timestamp) -> Self {
        Self {
            order_id,
            user_id: None,
            lines: Vec::new(),
            created_at: now,
            expires_at: now,
            state: HoldState::Ended(HoldEnd::Released { at: now, reason }),
        }
    }
}
