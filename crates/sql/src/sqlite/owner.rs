//! Whose tables the file holds: two services must not share one, and a file of some other program's must
//! not be filled with ours. A file without tables is marked with the schema's name.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};

use crate::SqlError;

const TABLES: &str = "SELECT name FROM sqlite_schema";
const OWNER: &str = "SELECT name FROM hotdeal_schema";

/// Refuses a file that is somebody else's, and marks a new one as ours.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    path: &Path,
    schema: &'static str,
) -> Result<(), SqlError> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    let tables: Vec<String> = sqlx::query_scalar(TABLES).fetch_all(&mut *tx).await?;
    if tables.is_empty() {
        sqlx::query("CREATE TABLE hotdeal_schema (name TEXT NOT NULL) STRICT")
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO hotdeal_schema (name) VALUES ($1)")
            .bind(schema)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        return Ok(());
    }
    let owner = match tables.iter().any(|name| name == "hotdeal_schema") {
        true => sqlx::query_scalar(OWNER).fetch_optional(&mut *tx).await?,
        false => None,
    };
    match owner {
        Some(owner) if owner == schema => Ok(()),
        owner => Err(SqlError::Foreign {
            path: path.to_owned(),
            owner: owner.map_or_else(
                || "tables of another program".to_owned(),
                |owner: String| format!("the tables of {owner}"),
            ),
            schema,
        }),
    }
}
