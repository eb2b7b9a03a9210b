//! Lists as SQLite takes them: one JSON text with a row an element. An id is its 32 hexadecimal digits there,
//! which the statement gives to `unhex`.

use domain::OrderId;
use serde::Serialize;
use uuid::Uuid;

/// An id within a JSON text.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Hex(#[serde(with = "uuid::serde::simple")] pub(super) Uuid);

/// Rows as a JSON text.
pub(super) fn json<R: Serialize>(rows: impl Iterator<Item = R>) -> Result<String, sqlx::Error> {
    let rows: Vec<R> = rows.collect();
    serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}

/// Ids as a JSON text.
pub(super) fn json_ids(ids: &[OrderId]) -> Result<String, sqlx::Error> {
    json(ids.iter().map(|id| Hex(id.0)))
}
