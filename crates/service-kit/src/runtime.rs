//! The tokio runtime a service runs on.

use std::io;

use tokio::runtime::{Builder, Runtime};

use crate::config::Common;

/// A runtime with `WORKER_THREADS` threads; the current-thread runtime when that is one, which saves
/// the hand-over between threads.
///
/// # Errors
/// When the operating system refuses a thread or a descriptor.
pub fn build(common: &Common) -> io::Result<Runtime> {
    crate::tls::install_provider();
    let mut builder = match common.worker_threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    if common.worker_threads > 1 {
        builder.worker_threads(common.worker_threads);
    }
    builder.enable_all().build()
}
