//! What a run of the spike leaves behind: one JSON file, whose fields are those of [`Spike`].
//!
//! Latencies are milliseconds as the buyer sees them, through the gateway; memory is bytes.

use std::{collections::BTreeMap, fs, io, path::Path};

use domain::Timestamp;
use local_shop::machine::Machine;
use serde::{Deserialize, Serialize};

use crate::{LoadError, order_overload::Step};

/// The version of this form; another number means other fields.
pub const FORM: u32 = 1;

/// Everything about one call of `make load-spike`.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Spike {
    /// [`FORM`].
    pub form: u32,
    /// The command that does it again.
    pub command: String,
    /// When it began.
    pub taken_at: Timestamp,
    /// The machine, before the load.
    pub machine: Machine,
    /// What k6 says of itself.
    pub k6_version: String,
    /// How the services were compiled: `release`, or `dev` for tests.
    pub profile: String,
    /// Buyers, each with one order.
    pub num_users: usize,
    /// Units they raced for.
    pub stock: usize,
    /// Virtual users at once.
    pub max_vus: usize,
    /// Settings of Postgres beyond its own; `fsync` and `synchronous_commit` are on.
    pub postgres_settings: Vec<String>,
    /// How often each step was measured.
    pub rounds: usize,
    /// Every measurement, in the order in which they were made.
    pub runs: Vec<SpikeRun>,
}

/// One step, measured once. Exactly `stock` orders were accepted, are in the database, and everybody else was told
/// that nothing is left.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct SpikeRun {
    /// From 1 on.
    pub round: usize,
    /// Which step.
    pub step: Step,
    /// Variables that make it this step.
    pub variables: BTreeMap<String, String>,
    /// Load average of the machine just before, over 1, 5 and 15 minutes.
    pub load_average_before: [f64; 3],
    /// From the first request to the last answer.
    pub seconds: f64,
    /// Answers of either kind a second.
    pub answers_per_second: f64,
    /// All buyers.
    pub all: Told,
    /// Those who got a unit.
    pub accepted: Told,
    /// Those who got none.
    pub sold_out: Told,
    /// CPU and memory of each component, by its name.
    pub components: BTreeMap<String, Used>,
}

/// How long buyers waited for their answer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Told {
    /// The mean.
    pub avg_ms: f64,
    /// Half took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

/// What a component used.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Used {
    /// CPU seconds from before the first request until everything was at rest again.
    pub cpu_seconds: f64,
    /// The most memory at any reading, in bytes.
    pub rss_peak_bytes: u64,
}

impl Spike {
    /// Writes it as JSON that people can read too.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), LoadError> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other);
        let written = text.and_then(|text| fs::write(path, text + "\n"));
        written.map_err(LoadError::file(path))
    }
}
