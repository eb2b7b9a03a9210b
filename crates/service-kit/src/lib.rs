//! What every service needs; knows no shop.
//!
//! - [`batcher`]: group commit over a bounded, fair queue.

pub mod batcher;
mod metrics;
