//! What happens by itself.
//!
//! - [`debts`]: hands a gate what it is owed as soon as a transaction says so.
//! - [`tend`]: every second: routes, debts, dead batches, drift.
//! - [`expire`]: releases holds that nobody ended in time.

pub(crate) mod debts;
pub(crate) mod expire;
pub(crate) mod tend;
