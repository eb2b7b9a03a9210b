//! The whole shop as processes on this machine: for tests that treat it as its users do, for load, and for people.
//!
//! - [`Shop`]: Postgres, Redis, replicas of both services and a gateway; [`ShopOptions`] says how many of what.
//! - [`Replica`]: one process of a service with its ports. [`Gateway`]: nginx in front of them.
//!   [`Prometheus`] watches them.
//! - [`AllInOne`]: the same shop as the one process `hotdeal` on SQLite.
//! - [`usage`]: CPU and memory of each component, sampled while something else happens.
//! - [`machine`]: the machine a measurement ran on, for the record.
//! - `up`: the program `local-shop`, by which people start a shop and look at it.
//!
//! Everything is private and on free ports, and ends with the process that has started it.

mod all_in_one;
mod gateway;
pub mod machine;
mod options;
mod prometheus;
mod replica;
mod shop;
mod up;
pub mod usage;

pub use test_kit::Profile;

pub use self::{
    all_in_one::AllInOne,
    gateway::Gateway,
    options::{Addresses, POSTGRES_SETTINGS, ShopOptions},
    prometheus::Prometheus,
    replica::Replica,
    shop::{Deal, Shop, assert_balanced},
    up::main,
    usage::Component,
};
