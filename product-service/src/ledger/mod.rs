//! The ledger: what SQL says about stock is what is true.
//!
//! - [`hold`]: one row per order id, open, sold or released. [`deal`]: its states, its window and its row.
//!   [`sums`]: where units are.
//! - [`command`]: what the ledger is asked and what it answers.
//! - [`book`]: the rows a transaction has locked, and what it changes.
//! - [`decide`]: each command in turn over the book; pure, the one birthplace of stock facts.
//!
//! No I/O here: [`crate::store::commit`] locks the rows and writes, and `stock::ledger_line` collects what
//! waits and answers after the commit.

pub mod book;
pub mod command;
pub mod deal;
pub mod decide;
pub mod hold;
pub mod sums;
