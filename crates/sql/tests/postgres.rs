//! Pools, migrations and outcomes on a real Postgres.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{borrow::Cow, time::Duration};

use futures::{FutureExt as _, future::join_all};
use sql::{
    Database, Migrations, PoolOptions, PostgresDatabase, SqlError, connect, is_retryable,
    is_unclear, migrate, wait_until_reachable,
};
use sqlx::{
    PgPool, SqlStr,
    migrate::{Migration, MigrationType, Migrator},
};
use test_kit::{Postgres, PostgresServer};
use tokio::net::TcpListener;

fn migration(version: i64, statement: &'static str) -> Migration {
    let name = Cow::Borrowed("step");
    let statement = SqlStr::from_static(statement);
    Migration::new(version, name, MigrationType::Simple, statement, false)
}

fn migrations(steps: Vec<Migration>) -> Migrations {
    Migrations {
        postgres: Migrator::with_migrations(steps),
        sqlite: Migrator::DEFAULT,
    }
}

/// The first needs a moment, so that replicas do meet.
fn first() -> Migration {
    migration(
        1,
        "CREATE TABLE counter (n INT NOT NULL); INSERT INTO counter VALUES (0); SELECT pg_sleep(0.05)",
    )
}

/// Not idempotent: run twice, it leaves 2.
fn second() -> Migration {
    migration(2, "UPDATE counter SET n = n + 1")
}

async fn pool(url: &str, schema: &'static str) -> PgPool {
    open_with(PoolOptions::new(url, schema)).await
}

async fn open_with(options: PoolOptions) -> PgPool {
    let database = connect(options).await.unwrap();
    database.postgres().unwrap().clone()
}

async fn counted(pool: &PgPool) -> i32 {
    let counted = sqlx::query_scalar("SELECT n FROM counter").fetch_one(pool);
    counted.await.unwrap()
}

async fn setting(pool: &PgPool, name: &str) -> String {
    let value = sqlx::query_scalar("SELECT current_setting($1)").bind(name);
    value.fetch_one(pool).await.unwrap()
}

#[tokio::test]
async fn ten_replicas_of_two_services_migrate_one_database_once_each() {
    let database = Postgres::shared().database().await;
    let migrator = migrations(vec![first(), second()]);
    let replicas = (0..20).map(|replica| {
        let schema = if replica % 2 == 0 {
            "product"
        } else {
            "order_service"
        };
        migrate(&database.url, schema, &migrator)
    });
    for migrated in join_all(replicas).await {
        migrated.unwrap();
    }
    for schema in ["product", "order_service"] {
        assert_eq!(
            counted(&pool(&database.url, schema).await).await,
            1,
            "{schema}"
        );
    }
}

#[tokio::test]
async fn a_later_version_brings_the_schema_on_and_the_earlier_one_then_refuses_it() {
    let database = Postgres::shared().database().await;
    let old = migrations(vec![first()]);
    let new = migrations(vec![first(), second()]);
    migrate(&database.url, "product", &old).await.unwrap();
    migrate(&database.url, "product", &new).await.unwrap();
    assert_eq!(counted(&pool(&database.url, "product").await).await, 1);
    let error = migrate(&database.url, "product", &old).await.unwrap_err();
    assert!(
        matches!(error, SqlError::Newer { version: 2, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("newer version"), "{error}");
}

#[tokio::test]
async fn a_migration_that_changed_after_it_ran_is_refused() {
    let database = Postgres::shared().database().await;
    let one = migrations(vec![first()]);
    let other = migrations(vec![migration(1, "SELECT 1")]);
    migrate(&database.url, "product", &one).await.unwrap();
    let error = migrate(&database.url, "product", &other).await.unwrap_err();
    assert!(matches!(error, SqlError::Migrate { .. }), "{error}");
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_blocks_nobody() {
    let database = Postgres::shared().database().await;
    let broken = "CREATE TABLE half (n INT); SELECT 1/0";
    let broken = migrations(vec![first(), migration(2, broken)]);
    migrate(&database.url, "product", &broken)
        .await
        .unwrap_err();
    let mended = migrations(vec![first(), second()]);
    migrate(&database.url, "product", &mended).await.unwrap();
    let pool = pool(&database.url, "product").await;
    let half = sqlx::query("SELECT * FROM half").execute(&pool).await;
    assert!(half.is_err());
}

#[tokio::test]
async fn every_connection_has_its_schema_and_its_limits() {
    let database = Postgres::shared().database().await;
    let pool = pool(&database.url, "product").await;
    let connections = join_all((0..5).map(|_| pool.acquire())).await;
    for connection in connections {
        let mut connection = connection.unwrap();
        for (name, expected) in [
            ("search_path", "product"),
            ("statement_timeout", "10s"),
            ("lock_timeout", "1s"),
            ("idle_in_transaction_session_timeout", "1s"),
            ("application_name", "hotdeal product"),
        ] {
            let value: String = sqlx::query_scalar("SELECT current_setting($1)")
                .bind(name)
                .fetch_one(&mut *connection)
                .await
                .unwrap();
            assert_eq!(value, expected, "{name}");
        }
    }
}

#[tokio::test]
async fn how_durable_a_commit_is_stays_the_servers_choice() {
    let database = Postgres::shared().database().await;
    let ours = setting(&pool(&database.url, "product").await, "synchronous_commit").await;
    let plain = PgPool::connect(&database.url).await.unwrap();
    assert_eq!(ours, setting(&plain, "synchronous_commit").await);
}

#[tokio::test]
async fn a_lock_that_is_held_too_long_is_a_clear_no_that_may_pass() {
    let database = Postgres::shared().database().await;
    let migrator = migrations(vec![first()]);
    migrate(&database.url, "product", &migrator).await.unwrap();
    let options = PoolOptions {
        lock_timeout: Duration::from_millis(50),
        ..PoolOptions::new(&database.url, "product")
    };
    let pool = open_with(options).await;
    let mut holder = pool.begin().await.unwrap();
    let update = "UPDATE counter SET n = 7";
    sqlx::query(update).execute(&mut *holder).await.unwrap();
    let error = sqlx::query(update).execute(&pool).await.unwrap_err();
    assert!(is_retryable(&error) && !is_unclear(&error), "{error}");
    holder.rollback().await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_stands_still_loses_its_locks() {
    let database = Postgres::shared().database().await;
    let migrator = migrations(vec![first()]);
    migrate(&database.url, "product", &migrator).await.unwrap();
    let options = PoolOptions {
        idle_in_transaction_timeout: Duration::from_millis(50),
        lock_timeout: Duration::from_secs(5),
        ..PoolOptions::new(&database.url, "product")
    };
    let pool = open_with(options).await;
    let mut stopped = pool.begin().await.unwrap();
    let update = "UPDATE counter SET n = n + 1";
    sqlx::query(update).execute(&mut *stopped).await.unwrap();
    // It waits for the row until the server has ended the other transaction.
    sqlx::query(update).execute(&pool).await.unwrap();
    assert_eq!(counted(&pool).await, 1);
    let error = stopped.commit().await.unwrap_err();
    assert!(is_retryable(&error), "{error}");
}

#[tokio::test]
async fn a_connection_ended_by_the_server_leaves_the_outcome_open_and_the_pool_recovers() {
    let database = Postgres::shared().database().await;
    let pool = pool(&database.url, "product").await;
    let mut transaction = pool.begin().await.unwrap();
    let pid: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut *transaction)
        .await
        .unwrap();
    let killed = sqlx::query("SELECT pg_terminate_backend($1, 1000)").bind(pid);
    killed.execute(&pool).await.unwrap();
    let error = transaction.commit().await.unwrap_err();
    assert!(is_unclear(&error) && is_retryable(&error), "{error}");
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
}

#[tokio::test]
async fn a_server_that_comes_up_late_is_waited_for() {
    let server = PostgresServer::start().await;
    let url = server.database().await.url;
    server.stop().await;
    let patience = Duration::from_secs(30);
    let (reached, ()) = tokio::join!(wait_until_reachable(&url, patience), server.restart());
    reached.unwrap();
}

#[tokio::test]
async fn patience_ends_with_the_place_and_without_the_password() {
    // Bound and never accepted from: nothing answers there.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let url = format!("postgres://u:s3cret@127.0.0.1:{port}/shop");
    let error = wait_until_reachable(&url, Duration::from_millis(100))
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, SqlError::Unreachable { .. }), "{text}");
    assert!(
        text.contains(&format!("127.0.0.1:{port}/shop")) && !text.contains("s3cret"),
        "{text}"
    );
}

#[tokio::test]
async fn a_refusal_that_will_not_pass_is_not_waited_for() {
    let database = Postgres::shared().database().await;
    let url = format!("{}_absent", database.url);
    let error = wait_until_reachable(&url, Duration::from_secs(600))
        .await
        .unwrap_err();
    assert!(matches!(error, SqlError::Database(_)), "{error}");
    let error = migrate(&database.url, "Robert'; --", &migrations(vec![])).await;
    assert!(matches!(error, Err(SqlError::SchemaName(_))));
}

/// What the next user of the only connection writes is there for others.
async fn next_one_commits(server: &PostgresDatabase, other: &PgPool, n: i32) {
    let mut next = server.working().await.unwrap();
    let update = sqlx::query("UPDATE counter SET n = $1").bind(n);
    update.execute(&mut *next).await.unwrap();
    assert_eq!(counted(other).await, n);
}

#[tokio::test]
async fn a_transaction_that_was_given_up_while_it_began_is_nobody_elses() {
    let database = Postgres::shared().database().await;
    let steps = migrations(vec![first()]);
    migrate(&database.url, "product", &steps).await.unwrap();
    let options = PoolOptions {
        connections_max: 1,
        ..PoolOptions::new(&database.url, "product")
    };
    let both = connect(options).await.unwrap();
    let Database::Postgres(server) = &both else {
        panic!("it is a server");
    };
    let other = pool(&database.url, "product").await;

    // Sent, and then not waited for, as when its time has run out. A server may be too quick for that.
    loop {
        let mut working = server.working().await.unwrap();
        if working.begin().now_or_never().is_none() {
            break;
        }
    }
    next_one_commits(server, &other, 7).await;

    assert!(both.begin().now_or_never().is_none());
    next_one_commits(server, &other, 8).await;
}
