//! Orders: accepted once the stock is held and the row is committed.
pub mod order;
