//! Private servers for tests, and the few words tests are written in.
//!
//! - [`postgres`]: one throw-away cluster a test process, a fresh database a test; a durable one for fault tests.
//! - [`redis`]: a Redis of one's own, which can be killed, emptied and stopped.
//! - [`certs`]: an authority of one's own and the certificates it signs, for servers with TLS.
//! - [`process`]: the workspace's own binaries as processes; [`program`] finds or builds them.
//! - [`http`]: requests that answer status, JSON and headers.
//! - [`on_both_engines`](on_both_engines!): the same tests on PostgreSQL and on SQLite.
//! - [`eventually`](fn@eventually): waits for a condition; tests do not sleep otherwise.
//! - [`host`]: what these stand on: scratch directories, leased ports, children that cannot outlive the test.
//!
//! Nothing here relies on a system service, and nothing survives the test process, however it ends.
//! A program that is missing panics with the command that installs it.

pub mod certs;
mod engines;
pub mod eventually;
pub mod host;
pub mod http;
pub mod postgres;
pub mod process;
pub mod program;
pub mod redis;

pub use certs::{Authority, Certificate};
pub use eventually::eventually;
pub use host::port::Port;
pub use host::scratch::directory as scratch_directory;
pub use http::Http;
pub use postgres::{Postgres, PostgresServer, TestDatabase};
pub use process::Process;
pub use program::{Profile, Program};
pub use redis::Redis;
