//! Tests that treat the whole shop, as processes on private servers, like its users do.
//!
//! - [`Shop`]: Postgres, Redis, and replicas of both services; killed with the test. It is `local_shop`'s.
//! - [`buyers`]: crowds that order at once, and what they were answered.

pub mod buyers;

pub use local_shop::{Deal, Replica, Shop, ShopOptions, assert_balanced};

pub use self::buyers::{Buyer, Tally};
