//! What a run of the load target leaves behind: one JSON file, whose fields are those of [`OrderOverload`].
//!
//! Latencies are milliseconds as the buyer sees them, through the gateway; memory is bytes; CPU is per cent of one
//! core. Figures are those of the hold phase, when all virtual users are there, unless a name says otherwise.

use std::{collections::BTreeMap, fs, path::Path};

use domain::Timestamp;
use local_shop::{machine::Machine, usage::ComponentUsage};
use serde::{Deserialize, Serialize};

use crate::{LoadError, Spread, order_overload::Step, settings::Load};

/// The version of this form; another number means other fields.
pub const FORM: u32 = 1;

/// Everything about one call of `make load-order-overload`.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct OrderOverload {
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
    /// How heavy the load was.
    pub load: Load,
    /// Settings of Postgres beyond its own; `fsync` and `synchronous_commit` are on.
    pub postgres_settings: Vec<String>,
    /// How often each step was measured.
    pub rounds: usize,
    /// Every measurement, in the order in which they were made.
    pub runs: Vec<Run>,
    /// Each step, over its rounds.
    pub steps: Vec<StepFigures>,
    /// Steps against each other, each within its round. Empty for a shop that was already up.
    pub ratios: Vec<Ratio>,
}

/// One step, measured once.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Run {
    /// From 1 on.
    pub round: usize,
    /// Which step.
    pub step: Step,
    /// Variables that make it this step.
    pub variables: BTreeMap<String, String>,
    /// Load average of the machine just before, over 1, 5 and 15 minutes.
    pub load_average_before: [f64; 3],
    /// While all virtual users were there.
    pub hold: Answers,
    /// From the first virtual user to the last answer.
    pub whole: Answers,
    /// Whether k6 found every threshold kept.
    pub is_within_thresholds: bool,
    /// CPU and memory of each component while all virtual users were there: `order-service`, `product-service`,
    /// `gateway`, `redis`, `postgres`, `k6`. Empty for a shop that was already up.
    pub components: Vec<ComponentUsage>,
    /// Memory of each component before the load, in bytes.
    pub rss_at_rest_bytes: BTreeMap<String, u64>,
    /// What the stores spent on a decrement, from the first virtual user to the last answer.
    pub decrement: Option<Decrement>,
    /// What the shop says afterwards.
    pub units: Option<Units>,
}

/// What buyers were answered.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Answers {
    /// How long.
    pub seconds: f64,
    /// Orders accepted with 202.
    pub accepted: u64,
    /// Accepted orders a second.
    pub accepted_per_second: f64,
    /// Share of requests that were not answered 202, from 0 to 1.
    pub error_rate: f64,
    /// The mean.
    pub avg_ms: f64,
    /// Half took no longer.
    pub p50_ms: f64,
    /// 95 of 100 took no longer.
    pub p95_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

/// What one unit costs in the stores.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct Decrement {
    /// Requests for stock that got their units, by product-service's `stock_decrements_total`.
    pub held: f64,
    /// Transactions of the ledger, by the count of `ledger_commit_duration_seconds`.
    pub commits: f64,
    /// Time of one transaction, from its first statement to the answer of its commit, in milliseconds.
    pub commit_ms: f64,
    /// That time divided among the decrements that shared it, in milliseconds.
    pub ledger_ms_per_decrement: f64,
    /// What the gate spent; `None` without one.
    pub gate: Option<GateCost>,
}

/// What Redis spent, by `INFO commandstats` of `evalsha`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq)]
pub struct GateCost {
    /// Calls of a script.
    pub script_calls: f64,
    /// Time of one call in microseconds.
    pub script_us: f64,
    /// That time divided among the decrements that shared it, in microseconds.
    pub us_per_decrement: f64,
}

/// Where the deal's units are after the load, and how many orders there are. All three agree, or the run is refused.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, PartialEq, Eq)]
pub struct Units {
    /// Orders that k6 was told were accepted.
    pub accepted: u64,
    /// Rows of orders in the database.
    pub orders: u64,
    /// Units held by the ledger.
    pub held: u64,
}

/// One step over its rounds.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct StepFigures {
    /// Which step.
    pub step: Step,
    /// See [`Answers::p95_ms`].
    pub p95_ms: Spread,
    /// See [`Answers::p99_ms`].
    pub p99_ms: Spread,
    /// See [`Answers::avg_ms`].
    pub avg_ms: Spread,
    /// See [`Answers::accepted_per_second`].
    pub accepted_per_second: Spread,
    /// See [`Answers::error_rate`].
    pub error_rate: Spread,
    /// See [`Decrement::ledger_ms_per_decrement`].
    pub ledger_ms_per_decrement: Option<Spread>,
    /// See [`GateCost::us_per_decrement`].
    pub gate_us_per_decrement: Option<Spread>,
    /// Each component, by its name.
    pub components: BTreeMap<String, ComponentFigures>,
}

/// One component over a step's rounds.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct ComponentFigures {
    /// Per cent of one core.
    pub cpu_percent: Spread,
    /// CPU time for one accepted order, in microseconds.
    pub cpu_us_per_order: Spread,
    /// Memory before the load, in bytes.
    pub rss_at_rest_bytes: Spread,
    /// The most memory under load, in bytes.
    pub rss_peak_bytes: Spread,
}

/// How much better `to` is than `from`: each figure is above 1 where it is better.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Ratio {
    /// The step that is compared with.
    pub from: Step,
    /// The step that is compared.
    pub to: Step,
    /// p95 of `from` ÷ p95 of `to`.
    pub p95: Spread,
    /// Mean of `from` ÷ mean of `to`.
    pub avg: Spread,
    /// Accepted a second of `to` ÷ those of `from`.
    pub accepted_per_second: Spread,
    /// Error rate of `from` − that of `to`: a quotient of zeros says nothing.
    pub error_rate_less: Spread,
    /// Time of the ledger for a decrement of `from` ÷ that of `to`.
    pub ledger_per_decrement: Option<Spread>,
    /// Time of the ledger for a decrement of `from` ÷ time of the gate for one of `to`.
    pub ledger_to_gate: Option<Spread>,
    /// CPU for one accepted order of `from` ÷ that of `to`, of each component that both have.
    pub cpu_per_order: BTreeMap<String, Spread>,
}

impl OrderOverload {
    /// Reads a file of [`OrderOverload::write`].
    ///
    /// # Errors
    /// When there is no such file, or it has another form.
    pub fn read(path: &Path) -> Result<Self, LoadError> {
        let text = fs::read_to_string(path).map_err(LoadError::file(path))?;
        let parsed = serde_json::from_str(&text).map_err(std::io::Error::other);
        parsed.map_err(LoadError::file(path))
    }

    /// Writes it as JSON that people can read too.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), LoadError> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other);
        let written = text.and_then(|text| fs::write(path, text + "\n"));
        written.map_err(LoadError::file(path))
    }

    /// The figures of a step, if it was measured.
    pub fn step(&self, step: Step) -> Option<&StepFigures> {
        self.steps.iter().find(|figures| figures.step == step)
    }
}

impl Run {
    /// CPU time of a component for one accepted order, in microseconds.
    #[expect(clippy::cast_precision_loss, reason = "orders of minutes fit")]
    pub fn cpu_us_per_order(&self, component: &str) -> Option<f64> {
        let used = self.components.iter().find(|one| one.name == component)?;
        Some(used.cpu_percent / 100.0 * self.hold.seconds / self.hold.accepted as f64 * 1e6)
    }
}
