//! What a database's connections are like.

use std::{fmt, time::Duration};

/// What a pool connects to, and what its connections put up with.
#[derive(Clone)]
pub struct PoolOptions {
    /// `postgres://…` or `sqlite://` and the path of a file; it may hold a password, so `Debug` leaves
    /// it out.
    pub url: String,
    /// The schema of every unqualified name; on SQLite the name that the file is marked with.
    pub schema: &'static str,
    /// Most connections at once; on SQLite, of those that read.
    pub connections_max: u32,
    /// How long one statement may run. Default 10 s. SQLite knows no such limit.
    pub statement_timeout: Duration,
    /// How long a statement may wait for a lock. Default 1 s.
    pub lock_timeout: Duration,
    /// How long a transaction may do nothing before the server ends it: a replica that was stopped in
    /// the middle of one must not hold its locks. Default 1 s. On SQLite nobody else waits.
    pub idle_in_transaction_timeout: Duration,
    /// How long to wait for a free connection. Default 2 s.
    pub acquire_timeout: Duration,
}

impl PoolOptions {
    /// With the default time limits and 10 connections.
    pub fn new(url: impl Into<String>, schema: &'static str) -> Self {
        Self {
            url: url.into(),
            schema,
            connections_max: 10,
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(1),
            idle_in_transaction_timeout: Duration::from_secs(1),
            acquire_timeout: Duration::from_secs(2),
        }
    }
}

impl fmt::Debug for PoolOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolOptions")
            .field("schema", &self.schema)
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_do_not_show_the_url() {
        let options = PoolOptions::new("postgres://u:s3cret@h/db", "product");
        assert!(!format!("{options:?}").contains("s3cret"));
    }
}
