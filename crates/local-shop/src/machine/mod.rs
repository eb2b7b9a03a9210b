//! The machine a measurement ran on, and what else it was doing: what a figure is worth nothing without.
//!
//! - `busy`: programs that use CPU time meanwhile.
//! - `disk`: how often a second it makes a write durable.
//! - `versions`: of the programs that took part, and of this repository.

mod busy;
mod disk;
mod versions;

use std::{fs, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use test_kit::scratch_directory;

pub use self::{
    busy::BusyProcess,
    disk::DiskSync,
    versions::{Revision, Versions},
};

/// How long the machine is watched before it is used.
const WATCHED_FOR: Duration = Duration::from_secs(1);

/// A machine, as it was before a measurement began.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Machine {
    /// Such as `Intel(R) Xeon(R) Processor`.
    pub cpu_model: String,
    /// Cores that this process may use.
    pub cpu_count: usize,
    /// Main memory in bytes.
    pub memory_bytes: u64,
    /// Such as `6.1.0`.
    pub kernel: String,
    /// Load average over 1, 5 and 15 minutes.
    pub load_average: [f64; 3],
    /// Programs that used more than 5 % of a core while the machine was watched for a second.
    pub busy: Vec<BusyProcess>,
    /// The disk that the databases are on.
    pub disk: DiskSync,
    /// Of what took part.
    pub versions: Versions,
    /// Of this repository.
    pub revision: Revision,
}

impl Machine {
    /// Looks at this machine, which takes two seconds: one to watch it, one to measure the disk.
    ///
    /// # Panics
    /// When `/proc` is not mounted or the disk cannot be written to.
    pub async fn look() -> Self {
        let busy = busy::watch(WATCHED_FOR).await;
        let blocking = tokio::task::spawn_blocking(|| {
            let disk = disk::measure(&scratch_directory("disk"));
            (disk, Versions::read(), Revision::read())
        });
        let (disk, versions, revision) = blocking.await.expect("a machine can be looked at");
        Self {
            cpu_model: field("/proc/cpuinfo", "model name").unwrap_or_default(),
            cpu_count: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory_bytes(),
            kernel: line("/proc/sys/kernel/osrelease"),
            load_average: load_average(),
            busy,
            disk,
            versions,
            revision,
        }
    }
}

/// The machine's load average now, over 1, 5 and 15 minutes.
pub fn load_average() -> [f64; 3] {
    let line = line("/proc/loadavg");
    let mut figures = line
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(0.0));
    std::array::from_fn(|_| figures.next().unwrap_or(0.0))
}

fn memory_bytes() -> u64 {
    let total = field("/proc/meminfo", "MemTotal").unwrap_or_default();
    let kib = total.split_whitespace().next();
    kib.and_then(|kib| kib.parse().ok()).unwrap_or(0) * 1024
}

/// The value of the first line `name : value`.
fn field(file: impl AsRef<Path>, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = fields.find(|(found, _)| found.trim() == name)?;
    Some(value.trim().to_owned())
}

fn line(file: impl AsRef<Path>) -> String {
    fs::read_to_string(file)
        .unwrap_or_default()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn this_machine_has_a_core_memory_and_a_disk() {
        let machine = Machine::look().await;
        assert!(machine.cpu_count > 0);
        assert!(machine.memory_bytes > 100_000_000);
        assert!(machine.disk.per_second > 0.0);
        assert!(machine.versions.postgres.contains("PostgreSQL"));
        assert_eq!(machine.revision.commit.len(), 40);
    }
}
