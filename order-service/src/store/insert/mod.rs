//! Inserts orders together with their outbox rows, all that wait in one commit. How they travel stands in
//! `postgres` and `sqlite`.

mod postgres;
mod sqlite;

use std::collections::{HashMap, HashSet};

use domain::{OrderId, Timestamp, UserId};
use serde_json::value::RawValue;
use sql::Database;
use uuid::Uuid;

use super::{Store, StoreError, answered};
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
        let rows: Vec<(Uuid, i64)> = match &self.database {
            Database::Postgres(server) => answered(postgres::insert(server, orders)).await?,
            Database::Sqlite(file) => answered(sqlite::insert(file, orders)).await?,
        };
        Ok(rows.into_iter().collect())
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
