//! Places an order: hold the stock, insert the order, answer.
//!
//! - [`place`]: the steps, and what each failure means for the hold.
//! - [`inserter`]: the group commit of inserts, and what to do when its outcome is unclear.
//! - [`releaser`]: releases holds that no order was made of, in the background.

pub mod inserter;
#[expect(clippy::module_inception, reason = "the verb is the module's subject")]
pub mod place;
pub mod releaser;

pub use place::{NotPlaced, Place, Placed, Placer};
