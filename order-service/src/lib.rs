//! Orders: accepted once the stock is held and the row is committed.
pub mod metrics;
pub mod order;
pub mod stock;
pub mod store;
