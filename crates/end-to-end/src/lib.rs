//! The whole shop as processes on private servers, for tests that treat it as its users do.
//!
//! - [`Shop`]: Postgres, Redis, and replicas of both services; killed with the test.
//! - [`buyers`]: crowds that order at once, and what they were answered.

pub mod buyers;
mod shop;

pub use self::{
    buyers::{Buyer, Tally},
    shop::{Deal, Replica, Shop, ShopOptions, assert_balanced},
};
