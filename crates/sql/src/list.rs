//! Lists as a statement takes them: Postgres arrays, one a column, and for SQLite one JSON text with a row
//! an element. There an id is its 32 hexadecimal digits, which the statement gives to `unhex`.

use serde::Serialize;
use uuid::Uuid;

/// An id within a JSON text.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Hex(#[serde(with = "uuid::serde::simple")] pub Uuid);

/// Ids as a Postgres array.
pub fn array<T>(items: &[T], id: impl Fn(&T) -> Uuid) -> Vec<Uuid> {
    items.iter().map(id).collect()
}

/// Ids as a JSON text.
///
/// # Errors
/// As [`json`].
pub fn json_ids<T>(items: &[T], id: impl Fn(&T) -> Uuid) -> Result<String, sqlx::Error> {
    json(items.iter().map(|item| Hex(id(item))))
}

/// Rows as a JSON text.
///
/// # Errors
/// When a row cannot be written as JSON, such as a map whose keys are no strings.
pub fn json<R: Serialize>(rows: impl Iterator<Item = R>) -> Result<String, sqlx::Error> {
    let rows: Vec<R> = rows.collect();
    serde_json::to_string(&rows).map_err(|error| sqlx::Error::Encode(Box::new(error)))
}
