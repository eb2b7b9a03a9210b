//! What processes use: CPU time and memory, read from `/proc`.
//!
//! - [`Component`]: a name for a few processes with all their descendants, such as nginx's workers or Postgres's
//!   backends.
//! - `proc`: what the kernel says of one process.
//! - [`Sampler`]: reads all components again and again until it is stopped; [`Usage`] is what it has seen.

mod component;
mod proc;
mod record;
mod sampler;

pub(crate) use self::proc::cpu_time_of_process;
pub use self::{
    component::{Component, Reading},
    record::{ComponentUsage, Point, Usage},
    sampler::Sampler,
};
