//! To be filled.
pub mod gate;
