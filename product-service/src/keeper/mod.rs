//! What happens by itself.
//!
//! - [`after`]: who is told of a commit.
//! - [`debts`]: hands a gate what it is owed as soon as a transaction says so.
//! - [`tend`]: every second: routes, debts, dead batches, drift.
//! - [`schedule`]: deals open and end at their time.
//! - [`expire`]: releases holds that nobody ended in time.
//! - [`retain`]: deletes what nobody asks for any more.

pub(crate) mod after;
pub(crate) mod debts;
pub(crate) mod expire;
pub(crate) mod retain;
pub(crate) mod schedule;
pub(crate) mod tend;
