//! Orders and events as arrays, one a column, in one statement.

use serde_json::value::RawValue;
use sql::PostgresDatabase;
use sqlx::types::Json;
use uuid::Uuid;

use super::NewOrder;
use crate::{order::ShippingAddress, store::row::StoredLine};

const INSERT: &str = "
WITH clock AS MATERIALIZED (SELECT now_us() AS now_us),
given AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::jsonb[], $5::bigint[],
                         $6::jsonb[], $7::bytea[], $8::bigint[])
        AS given (id, user_id, flow, items, total_amount, shipping_address, fingerprint,
                  expires_at_us)
),
inserted AS (
    INSERT INTO orders (id, user_id, status, flow, items, total_amount, shipping_address,
                        fingerprint, expires_at_us, created_at_us, updated_at_us)
    SELECT given.id, user_id, 'PENDING', flow, items, total_amount, shipping_address,
           fingerprint, expires_at_us, now_us, now_us
    FROM given, clock
    WHERE now_us < expires_at_us
    ON CONFLICT (id) DO NOTHING
    RETURNING id, created_at_us
),
events AS (
    INSERT INTO outbox (id, order_id, kind, payload, created_at_us)
    SELECT event.id, inserted.id, kind, payload, created_at_us
    FROM unnest($9::uuid[], $10::uuid[], $11::text[], $12::jsonb[])
        AS event (id, order_id, kind, payload)
    JOIN inserted ON inserted.id = event.order_id
)
SELECT id, created_at_us FROM inserted";

/// Ids of what was inserted, with the time of it.
pub(super) async fn insert(
    server: &PostgresDatabase,
    orders: &[&NewOrder],
) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    let mut columns = Columns::default();
    for order in orders {
        columns.push(order);
    }
    let mut connection = server.working().await?;
    let inserted = sqlx::query_as(INSERT)
        .bind(columns.id)
        .bind(columns.user_id)
        .bind(columns.flow)
        .bind(columns.items)
        .bind(columns.total_amount)
        .bind(columns.shipping_address)
        .bind(columns.fingerprint)
        .bind(columns.expires_at_us)
        .bind(columns.event_id)
        .bind(columns.event_order_id)
        .bind(columns.event_kind)
        .bind(columns.event_payload)
        .fetch_all(&mut *connection)
        .await?;
    connection.keep();
    Ok(inserted)
}

/// A batch turned on its side: one array a column.
#[derive(Default)]
struct Columns<'a> {
    id: Vec<Uuid>,
    user_id: Vec<Uuid>,
    flow: Vec<&'static str>,
    items: Vec<Json<Vec<StoredLine>>>,
    total_amount: Vec<i64>,
    shipping_address: Vec<Option<Json<&'a ShippingAddress>>>,
    fingerprint: Vec<Option<&'a [u8]>>,
    expires_at_us: Vec<i64>,
    event_id: Vec<Uuid>,
    event_order_id: Vec<Uuid>,
    event_kind: Vec<&'static str>,
    event_payload: Vec<Json<&'a RawValue>>,
}

impl<'a> Columns<'a> {
    fn push(&mut self, order: &'a NewOrder) {
        self.id.push(order.id.0);
        self.user_id.push(order.user_id.0);
        self.flow.push(order.flow.as_str());
        let items = order.lines.iter().map(StoredLine::from).collect();
        self.items.push(Json(items));
        self.total_amount.push(order.total.minor());
        self.shipping_address
            .push(order.shipping_address.as_ref().map(Json));
        self.fingerprint
            .push(order.fingerprint.as_ref().map(|print| &print.0[..]));
        self.expires_at_us.push(order.expires_at.as_micros());
        for event in &order.events {
            self.event_id.push(event.id);
            self.event_order_id.push(order.id.0);
            self.event_kind.push(event.kind);
            self.event_payload.push(Json(&event.payload));
        }
    }
}
