//! How fast the shop is. `make bench` measures every figure; `docs/performance.md` says what came of it.
//!
//! - [`load`]: what asks: closed and open loops, over HTTP and gRPC, with histograms.
//! - [`rounds`]: both sides of a ratio in turn, several rounds; [`stats`]: medians and spreads.
//! - [`figures`]: what is measured, one file a figure or a family of them.
//! - [`setting`]: what the figures share: how long, how large, which binaries. [`committed`]: what was
//!   answered must be in the database.
//! - [`noop`]: the servers that do nothing, which the shop is held against.
//! - [`child`]: measurements inside of product-service, made by its own bench targets.
//! - [`results`]: what is kept and shown; [`journal`]: on which machine, and what else it did.
//! - [`cli`]: the program.

pub mod child;
pub mod cli;
pub mod committed;
pub mod figures;
pub mod journal;
pub mod load;
pub mod noop;
pub mod results;
pub mod rounds;
pub mod setting;
pub mod stats;

/// Whatever goes wrong ends a figure; its words are all that counts.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
