//! Private PostgreSQL.
//!
//! - [`Postgres::shared`]: one cluster a test process, without fsync; each test takes a database of its own.
//! - [`PostgresServer`]: a durable cluster of one's own, which a fault test kills and starts again.
//! - `cluster`: what both are made of: the directory, the processes, the port.

mod cluster;

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::certs::Certificate;
use crate::host::blocking;
use cluster::{Cluster, Durability};

/// The cluster that all tests of a process share.
#[derive(Debug)]
pub struct Postgres {
    cluster: Cluster,
}

impl Postgres {
    /// The process's cluster, started on first use (about a second), ended with the process.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            let cluster = Cluster::new(Durability::None);
            cluster.start();
            Self { cluster }
        })
    }

    /// A server of one's own with fsync on, as in production, that can be killed.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start_durable() -> PostgresServer {
        PostgresServer::start().await
    }

    /// The same with further settings, such as `max_wal_size=4GB`; they win over the defaults.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start with them.
    pub async fn start_durable_with(settings: &[&str]) -> PostgresServer {
        PostgresServer::start_with(None, settings).await
    }

    /// A fresh, empty database with a name of its own.
    ///
    /// # Panics
    /// When the cluster does not answer.
    pub async fn database(&self) -> TestDatabase {
        TestDatabase::create(&self.cluster).await
    }
}

/// A durable server of one's own. It ends when it is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    cluster: Arc<Cluster>,
}

impl PostgresServer {
    /// Starts a new cluster with fsync on.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start() -> Self {
        Self::start_with(None, &[]).await
    }

    /// Starts a cluster with fsync on and further settings, which win over the defaults. It is a new one, or that
    /// in `directory`, made if it is not there and kept. If we are root and user `postgres`, who then runs it, cannot
    /// enter there, it is kept in `/var/tmp`; [`PostgresServer::directory`] says where.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start_with(directory: Option<&Path>, settings: &[&str]) -> Self {
        let settings = settings.iter().map(ToString::to_string).collect();
        let directory = directory.map(Path::to_owned);
        let cluster = blocking(move || {
            let mut cluster = match directory {
                Some(directory) => Cluster::kept_in(&directory),
                None => Cluster::new(Durability::Full),
            };
            cluster.set(settings);
            cluster.start();
            Arc::new(cluster)
        });
        Self {
            cluster: cluster.await,
        }
    }

    /// The process id of the postmaster, whose children do the work.
    ///
    /// # Panics
    /// When the server does not run.
    pub fn pid(&self) -> u32 {
        self.cluster.pid()
    }

    /// Where its data and its log are.
    pub fn directory(&self) -> &Path {
        self.cluster.directory()
    }

    /// The URL of the database that every cluster has.
    pub fn url(&self) -> String {
        self.cluster.url("postgres")
    }

    /// Starts a new cluster with fsync on that also speaks TLS, with `certificate`.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start.
    pub async fn start_with_tls(certificate: &Certificate) -> Self {
        let certificate = certificate.clone();
        let cluster = blocking(move || {
            let mut cluster = Cluster::new(Durability::Full);
            cluster.speak_tls(&certificate);
            cluster.start();
            Arc::new(cluster)
        });
        Self {
            cluster: cluster.await,
        }
    }

    /// A fresh, empty database with a name of its own; its URL stays good over restarts.
    ///
    /// # Panics
    /// When the server does not answer.
    pub async fn database(&self) -> TestDatabase {
        TestDatabase::create(&self.cluster).await
    }

    /// `kill -9` of the server and all its backends; none is left when this returns.
    pub fn kill9(&self) {
        self.cluster.kill();
    }

    /// Starts again on the same data and port, and waits until recovery has ended. One that runs is killed first.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn restart(&self) {
        self.kill9();
        let cluster = Arc::clone(&self.cluster);
        blocking(move || cluster.start()).await;
    }

    /// Stops in order: connections are closed, data is written, no recovery is needed afterwards.
    pub async fn stop(&self) {
        let cluster = Arc::clone(&self.cluster);
        blocking(move || cluster.stop("INT")).await;
    }
}

/// A database that belongs to one test. It goes with its cluster.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    /// The database's URL, such as `postgres://postgres@127.0.0.1:20001/test_0`.
    pub url: String,
}

impl TestDatabase {
    async fn create(cluster: &Cluster) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let maintenance = cluster.url("postgres");
        let mut connection = PgConnection::connect(&maintenance)
            .await
            .expect("the private cluster is up");
        // The name is made here of letters and digits; template0 has no sessions that could be in the way.
        let statement = AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"));
        connection
            .execute(statement)
            .await
            .expect("a database can be created");
        connection.close().await.expect("the private cluster is up");
        Self {
            url: cluster.url(&name),
        }
    }
}
