//! What happens by itself.
//!
//! - [`debts`]: hands a gate what it is owed as soon as a transaction says so.
//! - [`tend`]: every second: routes, debts, dead batches, drift.
//! - [`schedule`]: deals open and end at their time.
//! - [`expire`]: releases holds that nobody ended in time.

pub(crate) mod debts;
pub(crate) mod expire;
pub(crate) mod schedule;
pub(crate) mod tend;
