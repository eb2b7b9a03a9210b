//! What product-service answers over HTTP and gRPC, on a real Postgres or a file of SQLite, and a real Redis.
//!
//! - `products`, `stock`, `deals`: what the endpoints do. `schedule`: deals planned and listed. `selling`:
//!   deals paused, restocked and watched.
//! - `bad_http`, `bad_grpc`: what is not understood is named, and changes nothing.
//! - `holds`: the gRPC methods that move stock.
//! - `standard`: health and reflection; the generated server as a client's transport.
//! - `access`: who may call what.
//! - `process`: the program: settings it refuses, and how it stops.
//! - `killed`: the program is killed at each step of a deal's life.
//! - `on_a_file`: the program on SQLite: killed, short of disk, started twice.
//! - `silence`: a database that falls silent without an end.
//! - `bed`: a service on free ports.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod bad_grpc;
mod bad_http;
mod bed;
mod deals;
mod holds;
mod killed;
mod on_a_file;
mod process;
mod products;
mod schedule;
mod selling;
mod silence;
mod standard;
mod stock;
