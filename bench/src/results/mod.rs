//! What was measured, as it is kept in a file and shown.
//!
//! - [`Report`]: one run: its [`Journal`] and its figures.
//! - [`Figure`]: sides measured in turn, and the ratio of two of them where there is one.
//! - [`table`]: what is printed. [`compare`]: two files against each other. [`mod@file`]: where they are kept.

pub mod compare;
mod figure;
pub mod file;
pub mod table;

use serde::{Deserialize, Serialize};

pub use self::figure::{Aim, Better, Figure, Latency, Ratio, Sample, Side, Verdict};
use crate::journal::Journal;

/// Grows when the meaning of a field changes.
pub const SCHEMA: u32 = 1;

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Where and how it was measured.
    pub journal: Journal,
    /// In the order in which they were measured.
    pub figures: Vec<Figure>,
}
