//! How rows become values. A row that cannot be one was falsified by hand: an error, never a guess.

use domain::{DealId, Money, OrderId, ProductId, Quantity, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, types::Json};
use uuid::Uuid;

use crate::ledger::{
    book::ShelfRow,
    deal::{DealRow, DealStatus},
    hold::{HeldLine, Hold, HoldEnd, HoldState},
    sums::Sums,
};

/// A row whose figures the code could not have written.
#[derive(Debug, thiserror::Error)]
#[error("{table} {id} holds an impossible {column}")]
pub(super) struct Falsified {
    table: &'static str,
    id: Uuid,
    column: &'static str,
}

impl From<Falsified> for sqlx::Error {
    fn from(falsified: Falsified) -> Self {
        sqlx::Error::Decode(Box::new(falsified))
    }
}

#[derive(FromRow)]
pub(super) struct SumsColumns {
    initial: i64,
    restocked: i64,
    available: i64,
    held: i64,
    sold: i64,
    written_off: i64,
    returned: i64,
}

impl From<SumsColumns> for Sums {
    fn from(row: SumsColumns) -> Self {
        Self {
            initial: row.initial,
            restocked: row.restocked,
            available: row.available,
            held: row.held,
            sold: row.sold,
            written_off: row.written_off,
            returned: row.returned,
        }
    }
}

/// A deal with its product's name, and the clock after the row was locked.
#[derive(FromRow)]
pub(super) struct DealColumns {
    id: Uuid,
    product_id: Uuid,
    product_name: String,
    number: Option<i64>,
    planned: i64,
    status: String,
    unit_price_minor: i64,
    per_user_limit: Option<i64>,
    starts_at_us: i64,
    ends_at_us: Option<i64>,
    ended_at_us: Option<i64>,
    #[sqlx(flatten)]
    sums: SumsColumns,
    owed: i64,
    pub(super) clock_us: i64,
}

impl TryFrom<DealColumns> for DealRow {
    type Error = Falsified;
    fn try_from(row: DealColumns) -> Result<Self, Falsified> {
        let falsified = |column| Falsified {
            table: "deal",
            id: row.id,
            column,
        };
        Ok(Self {
            id: DealId(row.id),
            product_id: ProductId(row.product_id),
            product_name: row.product_name,
            number: row.number.unwrap_or(0),
            planned: row.planned,
            status: DealStatus::parse(&row.status).ok_or_else(|| falsified("status"))?,
            unit_price: Money::try_from(row.unit_price_minor)
                .map_err(|_| falsified("unit_price_minor"))?,
            per_user_limit: row.per_user_limit,
            starts_at: Timestamp::from_micros(row.starts_at_us),
            ends_at: row.ends_at_us.map(Timestamp::from_micros),
            ended_at: row.ended_at_us.map(Timestamp::from_micros),
            sums: row.sums.into(),
            owed: row.owed,
        })
    }
}

/// A shelf with its product's name and price, and the clock after the row was locked.
#[derive(FromRow)]
pub(super) struct ShelfColumns {
    product_id: Uuid,
    product_name: String,
    price_minor: i64,
    deal_id: Option<Uuid>,
    #[sqlx(flatten)]
    sums: SumsColumns,
    pub(super) clock_us: i64,
}

impl TryFrom<ShelfColumns> for ShelfRow {
    type Error = Falsified;
    fn try_from(row: ShelfColumns) -> Result<Self, Falsified> {
        Ok(Self {
            product_id: ProductId(row.product_id),
            product_name: row.product_name,
            unit_price: Money::try_from(row.price_minor).map_err(|_| Falsified {
                table: "product",
                id: row.product_id,
                column: "price_minor",
            })?,
            deal_id: row.deal_id.map(DealId),
            sums: row.sums.into(),
        })
    }
}

/// A line as `holds.lines` keeps it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StoredLine {
    product_id: ProductId,
    deal_id: Option<DealId>,
    name: String,
    quantity: i64,
    unit_price: i64,
}

impl From<&HeldLine> for StoredLine {
    fn from(line: &HeldLine) -> Self {
        Self {
            product_id: line.product_id,
            deal_id: line.deal_id,
            name: line.name.clone(),
            quantity: line.quantity.units(),
            unit_price: line.unit_price.minor(),
        }
    }
}

#[derive(FromRow)]
pub(super) struct HoldColumns {
    order_id: Uuid,
    user_id: Option<Uuid>,
    state: String,
    reason: Option<String>,
    lines: Json<Vec<StoredLine>>,
    created_at_us: i64,
    expires_at_us: i64,
    ended_at_us: Option<i64>,
}

impl TryFrom<HoldColumns> for Hold {
    type Error = Falsified;
    fn try_from(row: HoldColumns) -> Result<Self, Falsified> {
        let falsified = |column| Falsified {
            table: "hold",
            id: row.order_id,
            column,
        };
        let ended_at = row.ended_at_us.map(Timestamp::from_micros);
        let state = match (row.state.as_str(), ended_at, row.reason) {
            ("open", None, _) => HoldState::Open,
            ("sold", Some(at), _) => HoldState::Ended(HoldEnd::Sold { at }),
            ("released", Some(at), Some(reason)) => {
                HoldState::Ended(HoldEnd::Released { at, reason })
            }
            ("returned", Some(at), Some(reason)) => {
                HoldState::Ended(HoldEnd::Returned { at, reason })
            }
            _ => return Err(falsified("state")),
        };
        let line = |line: StoredLine| {
            Some(HeldLine {
                product_id: line.product_id,
                deal_id: line.deal_id,
                name: line.name,
                quantity: Quantity::try_from(line.quantity).ok()?,
                unit_price: Money::try_from(line.unit_price).ok()?,
            })
        };
        let lines = row.lines.0.into_iter().map(line).collect::<Option<_>>();
        Ok(Self {
            order_id: OrderId(row.order_id),
            user_id: row.user_id.map(UserId),
            lines: lines.ok_or_else(|| falsified("lines"))?,
            created_at: Timestamp::from_micros(row.created_at_us),
            expires_at: Timestamp::from_micros(row.expires_at_us),
            state,
        })
    }
}

/// Converts every row.
pub(super) fn convert<R, V>(rows: Vec<R>) -> Result<Vec<V>, sqlx::Error>
where
    V: TryFrom<R, Error = Falsified>,
{
    let values = rows.into_iter().map(V::try_from).collect::<Result<_, _>>();
    values.map_err(sqlx::Error::from)
}
