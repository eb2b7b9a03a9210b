//! The whole shop as processes on this machine: for tests that treat it as its users do, for load, and for people.
//!
//! - [`Shop`]: Postgres, Redis, replicas of both services and a gateway; [`ShopOptions`] says how many of what.
//! - [`Replica`]: one process of a service with its ports. [`Gateway`]: nginx in front of them.
//! - [`AllInOne`]: the same shop as the one process `hotdeal` on SQLite.
//! - [`usage`]: CPU and memory of each component, sampled while something else happens.
//! - [`machine`]: the machine a measurement ran on, for the record.
//!
//! Everything is private and on free ports, and ends with the process that has started it.

mod all_in_one;
mod gateway;
pub mod machine;
mod options;
mod replica;
mod shop;
pub mod usage;

pub use test_kit::Profile;

pub use self::{
    all_in_one::AllInOne,
    gateway::Gateway,
    options::{POSTGRES_SETTINGS, ShopOptions},
    replica::Replica,
    shop::{Deal, Shop, assert_balanced},
    usage::Component,
};
