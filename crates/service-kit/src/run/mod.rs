//! A program from its arguments to its exit code.
//!
//! - [`program`](fn@program): settings, telemetry, runtime, signals, and what the process ends with.
//! - [`upon`](fn@upon): one part of a process that stands upon another, which is therefore stopped after it.
//! - [`together`](fn@together): servers of one process, none of which serves on when another has failed.

mod program;
mod together;
mod upon;

pub use self::{program::program, together::together, upon::upon};
