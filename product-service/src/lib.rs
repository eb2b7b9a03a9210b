//! product-service: products, deals, stock and holds.
//!
//! - [`stock`]: takes, confirms and restores stock; routes a request to the gate or straight to the
//!   ledger.
//! - [`gate`]: Redis proposes. [`ledger`]: SQL decides. [`store`]: the only SQL.
//! - [`deals`]: start and end of a deal, and its live sum.
//! - [`keeper`]: what happens by itself: routes, debts to the gate, dead batches, overdue holds.
//!
//! One request through the code: `docs/architecture.md`.

pub mod deals;
pub mod gate;
pub mod keeper;
pub mod ledger;
mod metrics;
pub mod stock;
pub mod store;
