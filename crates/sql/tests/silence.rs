//! Connections that fall silent without an end, while new ones work: the host behind a floating address
//! has changed, or a router on the way has forgotten them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{future::pending, io::ErrorKind, time::Duration};

use futures::future::join_all;
use sql::{PoolOptions, connect, is_retryable, is_unclear, within};
use sqlx::PgPool;
use test_kit::{Postgres, eventually};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

const CONNECTIONS: u32 = 3;
/// Far longer than any statement here takes, and far shorter than a kernel's patience.
const LIMIT: Duration = Duration::from_millis(500);
const LONG: Duration = Duration::from_secs(10);

/// A proxy before the database at `url`: the URL through it, and what silences all that is connected.
async fn proxy(url: &str) -> (String, watch::Sender<()>) {
    let (target, database) = url.split('@').nth(1).unwrap().split_once('/').unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (silence, silenced) = watch::channel(());
    let target = target.to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let mut server = TcpStream::connect(&target).await.unwrap();
            let mut silenced = silenced.clone();
            silenced.mark_unchanged();
            tokio::spawn(async move {
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => {}
                    // The sockets stay open, and nobody reads them any more.
                    Ok(()) = silenced.changed() => pending().await,
                }
            });
        }
    });
    let url = format!("postgres://postgres@{address}/{database}");
    (url, silence)
}

async fn answer(pool: &PgPool) -> Result<i32, sqlx::Error> {
    within(LIMIT, sqlx::query_scalar("SELECT 7").fetch_one(pool)).await
}

/// A pool whose every connection is open and then falls silent.
async fn silent_pool() -> PgPool {
    let database = Postgres::shared().database().await;
    let (url, silence) = proxy(&database.url).await;
    let options = PoolOptions {
        connections_max: CONNECTIONS,
        acquire_timeout: LONG,
        ..PoolOptions::new(url, "product")
    };
    let database = connect(options).await.unwrap();
    let pool = database.postgres().unwrap().clone();
    drop(all(&pool).await);
    eventually(LONG, "all connections are back", async || {
        pool.num_idle() == CONNECTIONS as usize
    })
    .await;
    silence.send(()).unwrap();
    pool
}

/// Every connection that the pool may have, at once.
async fn all(pool: &PgPool) -> Vec<sqlx::pool::PoolConnection<sqlx::Postgres>> {
    let acquired = join_all((0..CONNECTIONS).map(|_| pool.acquire())).await;
    acquired.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn a_silent_connection_is_a_lost_one() {
    let pool = silent_pool().await;
    let error = answer(&pool).await.unwrap_err();
    assert!(is_retryable(&error) && is_unclear(&error), "{error}");
    assert!(
        matches!(&error, sqlx::Error::Io(io) if io.kind() == ErrorKind::TimedOut),
        "{error}"
    );
}

#[tokio::test]
async fn the_pool_replaces_every_silent_connection() {
    let pool = silent_pool().await;
    let lost = join_all((0..CONNECTIONS).map(|_| answer(&pool))).await;
    assert!(lost.iter().all(Result::is_err), "{lost:?}");
    let mut connections = all(&pool).await;
    for connection in &mut connections {
        let select = sqlx::query_scalar("SELECT 7").fetch_one(&mut **connection);
        assert_eq!(within::<i32, sqlx::Error>(LIMIT, select).await.unwrap(), 7);
    }
}

#[tokio::test]
async fn a_transaction_that_was_dropped_in_silence_gives_its_place_back() {
    let pool = silent_pool().await;
    let transactions = (0..CONNECTIONS).map(|_| {
        let transaction = async { pool.begin().await?.commit().await };
        within(LIMIT, transaction)
    });
    for ended in join_all(transactions).await {
        assert!(is_unclear(&ended.unwrap_err()));
    }
    drop(all(&pool).await);
    assert_eq!(answer(&pool).await.unwrap(), 7);
}
