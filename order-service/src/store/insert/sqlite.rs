//! Orders as one JSON text, an array an order; then their events likewise, in the same transaction.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::RawValue;
use sql::{
    SqliteDatabase,
    list::{Hex, json},
};
use uuid::Uuid;

use super::NewOrder;
use crate::{order::ShippingAddress, store::row::StoredLine};

const INSERT: &str = "
INSERT INTO orders (id, user_id, status, flow, items, total_amount, shipping_address,
                    fingerprint, expires_at_us, created_at_us, updated_at_us)
SELECT unhex(value ->> 0), unhex(value ->> 1), 'PENDING', value ->> 2, value -> 3, value ->> 4,
       nullif(value -> 5, 'null'), unhex(value ->> 6), value ->> 7, now_us, now_us
FROM json_each($1), clock
WHERE now_us < value ->> 7
ON CONFLICT (id) DO NOTHING
RETURNING id, created_at_us";

const INSERT_EVENTS: &str = "
INSERT INTO outbox (id, order_id, kind, payload, created_at_us)
SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value -> 3, value ->> 4
FROM json_each($1)";

/// Ids of what was inserted, with the time of it.
pub(super) async fn insert(
    file: &SqliteDatabase,
    orders: &[&NewOrder],
) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    let rows = json(orders.iter().map(|order| OrderRow::from(*order)))?;
    let insert = sqlx::query_as(INSERT).bind(rows);
    if orders.iter().all(|order| order.events.is_empty()) {
        return insert.fetch_all(file.writer()).await;
    }
    let mut tx = file.writer().begin_with("BEGIN IMMEDIATE").await?;
    let inserted: Vec<(Uuid, i64)> = insert.fetch_all(&mut *tx).await?;
    let created: HashMap<Uuid, i64> = inserted.iter().copied().collect();
    let events = orders.iter().flat_map(|order| events(order, &created));
    sqlx::query(INSERT_EVENTS)
        .bind(json(events)?)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(inserted)
}

/// The events of an order that was inserted.
fn events<'a>(
    order: &'a NewOrder,
    created: &HashMap<Uuid, i64>,
) -> impl Iterator<Item = EventRow<'a>> + use<'a> {
    let created_at_us = created.get(&order.id.0).copied();
    let row = move |at_us| {
        let event = move |event: &'a super::NewEvent| {
            let (id, order_id) = (Hex(event.id), Hex(order.id.0));
            EventRow(id, order_id, event.kind, &event.payload, at_us)
        };
        order.events.iter().map(event)
    };
    created_at_us.into_iter().flat_map(row)
}

/// An event's columns, in the order in which the statement counts them.
#[derive(Serialize)]
struct EventRow<'a>(Hex, Hex, &'static str, &'a RawValue, i64);

/// An order's columns, likewise.
#[derive(Serialize)]
struct OrderRow<'a>(
    Hex,
    Hex,
    &'static str,
    Vec<StoredLine>,
    i64,
    Option<&'a ShippingAddress>,
    Option<String>,
    i64,
);

impl<'a> From<&'a NewOrder> for OrderRow<'a> {
    fn from(order: &'a NewOrder) -> Self {
        Self(
            Hex(order.id.0),
            Hex(order.user_id.0),
            order.flow.as_str(),
            order.lines.iter().map(StoredLine::from).collect(),
            order.total.minor(),
            order.shipping_address.as_ref(),
            order.fingerprint.map(|print| hex(&print.0)),
            order.expires_at.as_micros(),
        )
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
