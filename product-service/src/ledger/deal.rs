//! A deal: how far it has come, when it is to sell, and its row.

use domain::{DealId, Money, ProductId, Timestamp};

use crate::ledger::sums::Sums;

/// How far a deal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
pub enum DealStatus {
    /// It will open at its time; the product sells from its shelf.
    Scheduled,
    /// It sells.
    Running,
    /// It keeps its units and sells none.
    Paused,
    /// It is over.
    Ended,
}

impl DealStatus {
    /// As it stands in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }

    /// Reads what [`DealStatus::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Scheduled, Self::Running, Self::Paused, Self::Ended]
            .into_iter()
            .find(|status| status.as_str() == text)
    }

    /// It has opened and not ended: its units are its own, and it may have a gate.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Paused)
    }
}

/// When a deal is to sell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// From then on.
    pub starts_at: Timestamp,
    /// Until before then; `None`: until it is ended by hand.
    pub ends_at: Option<Timestamp>,
}

impl Window {
    /// Whether there is a moment in both.
    pub fn overlaps(&self, other: &Window) -> bool {
        let begins_before_the_end_of =
            |one: &Window, other: &Window| other.ends_at.is_none_or(|end| one.starts_at < end);
        begins_before_the_end_of(self, other) && begins_before_the_end_of(other, self)
    }
}

/// A locked deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DealRow {
    /// Its id.
    pub id: DealId,
    /// Its one product.
    pub product_id: ProductId,
    /// The product's name.
    pub product_name: String,
    /// Its number among the product's deals, from 1, given when it opens; 0 until then, and for ever if it
    /// ends without having opened.
    pub number: i64,
    /// Units it was to open with; its shelf may have had fewer then.
    pub planned: i64,
    /// How far it has come.
    pub status: DealStatus,
    /// Price of one unit while it runs.
    pub unit_price: Money,
    /// Units one buyer may hold and buy, if limited.
    pub per_user_limit: Option<i64>,
    /// Opens at.
    pub starts_at: Timestamp,
    /// Closes at, if ever by itself.
    pub ends_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// Where its units are.
    pub sums: Sums,
    /// What the gate is owed; only grows.
    pub owed: i64,
}

impl DealRow {
    /// Whether it sells at this moment: running, and within its window.
    pub fn sells_at(&self, now: Timestamp) -> bool {
        self.status == DealStatus::Running && self.starts_at <= now && !self.is_past(now)
    }

    /// Its window is over.
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// When it is to sell.
    pub fn window(&self) -> Window {
        Window {
            starts_at: self.starts_at,
            ends_at: self.ends_at,
        }
    }
}
