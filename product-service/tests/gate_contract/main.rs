//! What every gate promises, on a real Redis.
//!
//! - `admission`: who is admitted, who passes, who is refused; what a batch leaves behind.
//! - `deals`: gates of earlier and later deals; loading, dropping, raising.
//! - `owed`: what the gate is handed, batches that are done, stale or void.
//! - `faults`: Redis emptied, killed, stopped, full, read-only; keys changed by hand.
//! - `histories`: random ones, compared with `model`, the gate in plain Rust.
//! - `headers`: the codes in the scripts' headers are the enum's.
//! - `tls`: a Redis with TLS, trusted or not.
//! - `speed`: admissions a second, on demand.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod admission;
mod bed;
mod deals;
mod faults;
mod headers;
mod histories;
mod model;
mod owed;
mod speed;
mod tls;
