//! A real PostgreSQL with TLS, by what the URL says.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{path::Path, time::Duration};

use sql::{Database, PoolOptions, SqlError, connect, wait_until_reachable};
use test_kit::{Authority, PostgresServer};

/// Nobody waits this long for what will not pass.
const PATIENCE: Duration = Duration::from_secs(600);

fn verified(url: &str, ca_file: &Path) -> String {
    format!(
        "{url}?sslmode=verify-full&sslrootcert={}",
        ca_file.display()
    )
}

async fn is_encrypted(url: &str) -> bool {
    let database = connect(PoolOptions::new(url, "shop")).await.unwrap();
    let Database::Postgres(server) = database else {
        panic!("{url} is no PostgreSQL");
    };
    let asked = sqlx::query_scalar("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    asked.fetch_one(server.pool()).await.unwrap()
}

#[tokio::test]
async fn a_server_that_shows_a_certificate_of_the_authority_is_connected_to_over_tls() {
    let authority = Authority::new();
    let server = PostgresServer::start_with_tls(&authority.issue()).await;
    let url = server.database().await.url;
    let verified = verified(&url, &authority.ca_file());
    wait_until_reachable(&verified, PATIENCE).await.unwrap();
    assert!(is_encrypted(&verified).await);
    assert!(!is_encrypted(&format!("{url}?sslmode=disable")).await);
}

#[tokio::test]
async fn what_is_not_trusted_is_refused_at_once() {
    let (authority, other) = (Authority::new(), Authority::new());
    let server = PostgresServer::start_with_tls(&authority.issue()).await;
    let url = server.database().await.url;
    let refused = wait_until_reachable(&verified(&url, &other.ca_file()), PATIENCE).await;
    assert!(refused.unwrap_err().to_string().contains("certificate"));
    let missing = wait_until_reachable(&verified(&url, Path::new("/nowhere")), PATIENCE).await;
    assert!(
        matches!(missing, Err(SqlError::RootCert { .. })),
        "{missing:?}"
    );

    let server = PostgresServer::start_with_tls(&authority.issue_expired()).await;
    let url = server.database().await.url;
    let refused = wait_until_reachable(&verified(&url, &authority.ca_file()), PATIENCE).await;
    assert!(refused.unwrap_err().to_string().contains("expired"));
}

#[tokio::test]
async fn a_server_without_tls_is_refused_by_who_asks_for_it() {
    let authority = Authority::new();
    let url = test_kit::Postgres::shared().database().await.url;
    let refused = wait_until_reachable(&verified(&url, &authority.ca_file()), PATIENCE).await;
    assert!(
        matches!(refused, Err(SqlError::Database(sqlx::Error::Tls(_)))),
        "{refused:?}"
    );
}
