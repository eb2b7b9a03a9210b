//! What the servers stand on: the machine, as a test may use it.
//!
//! - `scratch`: directories that the next run removes when this one could not.
//! - [`port`]: ports that no other test process takes, not even while their server is down.
//! - `child`: processes that end with the test process.
//! - `tool`: programs that `scripts/setup.sh` installs, and the versions the tests ran on.

pub(crate) mod child;
pub mod port;
pub(crate) mod scratch;
pub(crate) mod tool;

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

/// How often a starting server is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(10);

/// The user id of this process.
pub(crate) fn uid() -> u32 {
    std::fs::metadata("/proc/self")
        .expect("/proc is mounted")
        .uid()
}

/// Runs what blocks (processes to wait for) beside the test's own tasks, also when the test has paused its time.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(failure) => std::panic::resume_unwind(failure.into_panic()),
    }
}
