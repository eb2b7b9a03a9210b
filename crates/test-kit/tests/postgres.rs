//! The private PostgreSQL: databases of one's own on a shared cluster, and a server that is killed.

use sqlx::{Connection, PgConnection};
use test_kit::{Postgres, PostgresServer};

async fn open(url: &str) -> PgConnection {
    PgConnection::connect(url)
        .await
        .expect("the server takes connections")
}

async fn setting(url: &str, name: &str) -> String {
    let mut connection = open(url).await;
    sqlx::query_scalar("SELECT current_setting($1)")
        .bind(name)
        .fetch_one(&mut connection)
        .await
        .expect("a statement works")
}

async fn make_units(url: &str) {
    sqlx::query("CREATE TABLE units (id int PRIMARY KEY)")
        .execute(&mut open(url).await)
        .await
        .expect("a statement works");
    sqlx::query("INSERT INTO units VALUES (7)")
        .execute(&mut open(url).await)
        .await
        .expect("a statement works");
}

async fn units(url: &str) -> Vec<i32> {
    sqlx::query_scalar("SELECT id FROM units")
        .fetch_all(&mut open(url).await)
        .await
        .expect("a statement works")
}

#[tokio::test]
async fn databases_of_one_cluster_are_fresh_and_empty() {
    let (one, other) = tokio::join!(Postgres::shared().database(), Postgres::shared().database());
    assert_ne!(one.url, other.url);
    make_units(&one.url).await;
    let tables: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            .fetch_one(&mut open(&other.url).await)
            .await
            .unwrap();
    assert_eq!(tables, 0);
}

#[tokio::test]
async fn the_shared_cluster_is_fast_and_takes_many_connections() {
    let database = Postgres::shared().database().await;
    assert_eq!(setting(&database.url, "fsync").await, "off");
    assert_eq!(setting(&database.url, "max_connections").await, "300");
    assert_eq!(setting(&database.url, "server_encoding").await, "UTF8");
}

#[tokio::test]
async fn a_killed_server_is_gone_and_restarts_with_what_was_committed() {
    let server = PostgresServer::start().await;
    let database = server.database().await;
    assert_eq!(setting(&database.url, "fsync").await, "on");
    make_units(&database.url).await;
    let mut open_before = open(&database.url).await;

    server.kill9();
    assert!(open_before.ping().await.is_err());
    assert!(PgConnection::connect(&database.url).await.is_err());

    server.restart().await;
    assert_eq!(units(&database.url).await, [7]);
}

#[tokio::test]
async fn a_stopped_server_restarts_with_its_data() {
    let server = Postgres::start_durable().await;
    let database = server.database().await;
    make_units(&database.url).await;
    server.stop().await;
    assert!(PgConnection::connect(&database.url).await.is_err());
    server.restart().await;
    assert_eq!(units(&database.url).await, [7]);
}
