//! Inserts orders together with their outbox rows, all that wait in one statement and one commit.

use std::collections::{HashMap, HashSet};

use domain::{OrderId, Timestamp, UserId};
use serde_json::value::RawValue;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Store, StoreError, answered, row::StoredLine};
use crate::order::{Flow, Line, Order, ShippingAddress, State};

/// An order that is not stored yet. It has no times of its own: the database's clock gives them.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Also the hold's.
    pub id: OrderId,
    /// The buyer.
    pub user_id: UserId,
    /// How it will be fulfilled.
    pub flow: Flow,
    /// At least one.
    pub lines: Vec<Line>,
    /// Their sum.
    pub total: domain::Money,
    /// Where to deliver.
    pub shipping_address: Option<ShippingAddress>,
    /// Digest of the body, with an `Idempotency-Key` only.
    pub fingerprint: Option<crate::order::Fingerprint>,
    /// The hold's deadline: nothing is inserted from then on.
    pub expires_at: Timestamp,
    /// Events that state the fact; stored if and only if the order is.
    pub events: Vec<NewEvent>,
}

/// A row of the outbox.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Names the event wherever it goes.
    pub id: Uuid,
    /// Its type, for example `OrderPlaced`.
    pub kind: &'static str,
    /// JSON.
    pub payload: Box<RawValue>,
}

/// What became of one order of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It is committed.
    New(Order),
    /// An order with this id was there already.
    Existing(Order),
    /// The hold's deadline has passed: nothing is stored.
    TooLate,
}

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

impl Store {
    /// Inserts every order whose id is new and whose deadline has not passed, or none if this fails.
    /// The outcomes are in the order of `batch`. It may be repeated after any failure.
    ///
    /// # Errors
    /// When the database refuses the statement, or does not say what became of it.
    pub async fn insert(&self, batch: &[&NewOrder]) -> Result<Vec<Inserted>, StoreError> {
        let mut seen = HashSet::new();
        let mut distinct: Vec<&NewOrder> = batch.to_vec();
        distinct.retain(|order| seen.insert(order.id));
        // Two replicas that insert the same ids lock them in the same order.
        distinct.sort_unstable_by_key(|order| order.id);
        let mut created = self.insert_distinct(&distinct).await?;
        let is_missing = |order: &&&NewOrder| !created.contains_key(&order.id.0);
        let mut missing: Vec<OrderId> = batch.iter().filter(is_missing).map(|o| o.id).collect();
        // A repeated id within the batch is answered from the row, like a repeated id at any time.
        let mut first = HashSet::new();
        missing.extend(batch.iter().map(|o| o.id).filter(|id| !first.insert(*id)));
        let stored = self.find_many(&missing).await?;
        let outcome = |order: &&NewOrder| match created.remove(&order.id.0) {
            Some(at) => Inserted::New(order.stored_at(Timestamp::from_micros(at))),
            None => match stored.get(&order.id) {
                Some(stored) => Inserted::Existing(stored.clone()),
                None => Inserted::TooLate,
            },
        };
        Ok(batch.iter().map(outcome).collect())
    }

    /// Ids of what was inserted, with the time of it.
    async fn insert_distinct(
        &self,
        orders: &[&NewOrder],
    ) -> Result<HashMap<Uuid, i64>, StoreError> {
        let mut columns = Columns::default();
        for order in orders {
            columns.push(order);
        }
        let insert = sqlx::query_as(INSERT)
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
            .fetch_all(&self.pool);
        let rows: Vec<(Uuid, i64)> = answered(insert).await?;
        Ok(rows.into_iter().collect())
    }
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

impl NewOrder {
    fn stored_at(&self, now: Timestamp) -> Order {
        Order {
            id: self.id,
            user_id: self.user_id,
            flow: self.flow,
            state: State::Pending,
            lines: self.lines.clone(),
            total: self.total,
            shipping_address: self.shipping_address.clone(),
            fingerprint: self.fingerprint,
            expires_at: self.expires_at,
            created_at: now,
            updated_at: now,
            version: 0,
        }
    }
}
