//! The only SQL of this service.
//!
//! - [`commit`]: one transaction for all commands that wait; it records batch ids, locks holds, deals
//!   and shelves in this order, each sorted (`lock`), lets [`crate::ledger::decide`] decide, and writes
//!   (`write`). One that only takes from running deals is one statement (`sale`), over deals as the last one
//!   left them (`remembered`).
//! - `batches`, `holds`, `deals`, `shelves`, `buyers`: the statements of that transaction.
//! - [`void`]: a batch of the gate whose process died.
//! - [`lookup`]: holds and buyers outside that transaction. [`deal_read`]: deals and shelves likewise.
//! - [`schedule`]: deals before they open, and when they are due.
//! - [`products`]: the catalogue.
//! - [`retain`]: deletes what is old.
//! - `rows`: how rows become values.
//!
//! Statements that both engines understand exist once; `(SELECT now_us FROM clock)` is the clock there.
//! Where they differ, by lists and locks, the two stand one above the other.

mod batches;
mod buyers;
pub mod commit;
pub mod deal_read;
mod deals;
mod holds;
mod lock;
pub mod lookup;
pub mod products;
mod remembered;
pub mod retain;
mod rows;
mod sale;
pub mod schedule;
mod shelves;
pub mod void;
mod write;

use std::{sync::Arc, time::Duration};

use sql::{Database, Migrations};

use self::remembered::Remembered;

/// The schema of product-service's tables.
pub const SCHEMA: &str = "product";

/// What brings a database to this version.
pub static MIGRATIONS: Migrations = Migrations {
    postgres: sqlx::migrate!("migrations/postgres"),
    sqlite: sqlx::migrate!("migrations/sqlite"),
};

/// How long a question to the database may take. The workers ask one at a time: a connection that has
/// fallen silent must not silence them.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// The answer, or an error that says that none came.
async fn answered<T>(
    question: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    sql::within(ANSWER_TIMEOUT, question).await
}

/// The ledger's database, and what is remembered of its deals. Clones share both.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    remembered: Arc<Remembered>,
}

impl Store {
    /// Over a database of [`SCHEMA`], migrated.
    pub fn new(database: Database) -> Self {
        Self {
            database,
            remembered: Arc::default(),
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), sqlx::Error> {
        sql::read!(&self.database, |pool| {
            let asking = sqlx::query("SELECT 1").execute(pool);
            answered(asking).await.map(drop)
        })
    }
}
