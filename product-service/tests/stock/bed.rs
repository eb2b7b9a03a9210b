//! A ledger on a database of its own, and short words for what the tests ask of it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::{BatchId, DealId, OrderId, ProductId, Quantity, UserId};
use product_service::{
    ledger::{
        book::ShelfRow,
        command::{
            Bundle, Command, GateBatch, OpenDeal, Outcome, Route, Settled, Take, TakeLine, Taken,
        },
        deal::DealRow,
    },
    store::{MIGRATIONS, SCHEMA, Store},
};
use sql::{Database, Engine, PoolOptions};
use sqlx::{AssertSqlSafe, PgPool};
use test_kit::{Postgres, scratch_directory};
use uuid::Uuid;

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const BUYER: UserId = UserId(Uuid::from_u128(7));

pub(crate) struct Bed {
    url: String,
    pub(crate) database: Database,
    pub(crate) store: Store,
}

impl Bed {
    /// A migrated database without products.
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::on(match engine {
            Engine::Postgres => Postgres::shared().database().await.url,
            Engine::Sqlite => {
                let path = scratch_directory("product").join("product.db");
                format!("sqlite://{}", path.display())
            }
        })
        .await
    }

    /// As [`Bed::new`], on a server of one's own.
    pub(crate) async fn on(url: String) -> Self {
        let patience = Duration::from_secs(30);
        let database = sql::open(options(&url), &MIGRATIONS, patience)
            .await
            .unwrap();
        let store = Store::new(database.clone());
        Self {
            url,
            database,
            store,
        }
    }

    /// As another replica has it; on SQLite as another part of the same process.
    pub(crate) async fn another_store(&self) -> Store {
        Store::new(self.database.apart(options(&self.url)).await.unwrap())
    }

    /// Where a test is about a server.
    pub(crate) fn postgres(&self) -> &PgPool {
        self.database.postgres().unwrap()
    }

    /// An id within a statement.
    pub(crate) fn literal(&self, id: Uuid) -> String {
        match self.database.engine() {
            Engine::Postgres => format!("'{id}'"),
            Engine::Sqlite => format!("x'{}'", id.simple()),
        }
    }

    /// A product with this many units on its shelf, at 1000 a unit.
    pub(crate) async fn product(&self, number: u128, units: i64) -> ProductId {
        let id = Uuid::from_u128(number);
        let product = "INSERT INTO products (id, name, description, category, price_minor, \
             created_at_us, updated_at_us) VALUES ($1, 'Thing', '', '', 1000, 0, 0)";
        let shelf = "INSERT INTO shelves (product_id, initial, available) VALUES ($1, $2, $2)";
        sql::write!(&self.database, |pool| {
            sqlx::query(product).bind(id).execute(pool).await.unwrap();
            let shelf = sqlx::query(shelf).bind(id).bind(units);
            shelf.execute(pool).await.unwrap();
        });
        ProductId(id)
    }

    /// A product whose units all sell from a deal.
    pub(crate) async fn hot_product(
        &self,
        number: u128,
        units: i64,
        per_user_limit: Option<i64>,
    ) -> (ProductId, DealId) {
        let product_id = self.product(number, units).await;
        let deal_id = DealId(Uuid::from_u128(1_000 + number));
        let open = Command::OpenDeal(OpenDeal {
            deal_id,
            product_id,
            units: None,
            unit_price: None,
            per_user_limit,
            ends_at: None,
        });
        assert_eq!(self.ask(open).await, Outcome::DealOpen(deal_id));
        (product_id, deal_id)
    }

    /// Commits one command.
    pub(crate) async fn ask(&self, command: Command) -> Outcome {
        self.ask_all(vec![command]).await.remove(0)
    }

    /// Commits commands together, each in a bundle of its own.
    pub(crate) async fn ask_all(&self, commands: Vec<Command>) -> Vec<Outcome> {
        let bundles: Vec<Bundle> = commands.into_iter().map(alone).collect();
        let settled = self.settle(&bundles).await;
        settled.outcomes.into_iter().flatten().collect()
    }

    pub(crate) async fn settle(&self, bundles: &[Bundle]) -> Settled {
        self.store.commit(new_id(), bundles).await.unwrap()
    }

    pub(crate) async fn deal(&self, deal_id: DealId) -> DealRow {
        self.store.deal(deal_id).await.unwrap().unwrap()
    }

    pub(crate) async fn shelf(&self, product_id: ProductId) -> ShelfRow {
        self.store.shelf(product_id).await.unwrap().unwrap()
    }

    /// Changes rows behind the ledger's back.
    pub(crate) async fn by_hand(&self, statement: &str) -> Result<(), sqlx::Error> {
        let statement = AssertSqlSafe(statement.to_owned());
        sql::write!(&self.database, |pool| {
            sqlx::raw_sql(statement).execute(pool).await.map(drop)
        })
    }
}

fn options(url: &str) -> PoolOptions {
    PoolOptions {
        acquire_timeout: Duration::from_secs(10),
        ..PoolOptions::new(url, SCHEMA)
    }
}

/// A batch or transaction id that nobody has used.
pub(crate) fn new_id() -> BatchId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    BatchId(Uuid::from_u128((1 << 64) + u128::from(number)))
}

pub(crate) fn alone(command: Command) -> Bundle {
    Bundle {
        gate_batches: Vec::new(),
        commands: vec![command],
    }
}

/// What a gate admitted together.
pub(crate) fn admitted(batches: &[(BatchId, ProductId)], commands: Vec<Command>) -> Bundle {
    let batch = |(batch_id, product_id): &(BatchId, ProductId)| GateBatch {
        batch_id: *batch_id,
        product_id: *product_id,
    };
    Bundle {
        gate_batches: batches.iter().map(batch).collect(),
        commands,
    }
}

pub(crate) fn order(number: u128) -> OrderId {
    OrderId(Uuid::from_u128(number))
}

pub(crate) fn user(number: u128) -> UserId {
    UserId(Uuid::from_u128(number))
}

pub(crate) fn shelf_line(product_id: ProductId, units: i64) -> TakeLine {
    TakeLine {
        product_id,
        quantity: Quantity::try_from(units).unwrap(),
        deal_wanted: None,
        route: Route::Shelf,
        gate_units: 0,
    }
}

/// A line that never saw the gate.
pub(crate) fn deal_line((product_id, deal_id): (ProductId, DealId), units: i64) -> TakeLine {
    TakeLine {
        route: Route::Deal(deal_id),
        ..shelf_line(product_id, units)
    }
}

/// A line for which the gate took all units.
pub(crate) fn gate_line(deal: (ProductId, DealId), units: i64) -> TakeLine {
    TakeLine {
        gate_units: units,
        ..deal_line(deal, units)
    }
}

pub(crate) fn take(order_id: OrderId, user_id: UserId, lines: Vec<TakeLine>) -> Command {
    Command::Take(Take {
        order_id,
        user_id,
        lines,
        hold_ttl: HOUR,
    })
}

/// One order of [`BUYER`].
pub(crate) fn buy(number: u128, lines: Vec<TakeLine>) -> Command {
    take(order(number), BUYER, lines)
}

pub(crate) fn restore(number: u128) -> Command {
    Command::Restore {
        order_id: order(number),
        reason: "CANCELLED_BY_USER".into(),
    }
}

#[track_caller]
pub(crate) fn taken(outcome: &Outcome) -> &Taken {
    match outcome {
        Outcome::Taken(taken) => taken,
        other => panic!("{other:?}"),
    }
}
