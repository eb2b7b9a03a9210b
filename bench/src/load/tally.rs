//! What was answered, and how long it took.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use tokio::time::Instant;

use super::Span;

/// The longest latency told apart from longer ones, in microseconds: one minute.
const LATENCY_MAX_US: u64 = 60_000_000;
/// Latencies are exact to three digits.
const DIGITS: u8 = 3;

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Accepted: what was asked for is done, and durable.
    Won,
    /// Refused by the rules of the shop, such as "sold out".
    Lost,
    /// Anything else: a failure, an answer too many, no answer. The text names its kind, such as `503`.
    Failed(String),
}

/// What load has met.
#[derive(Debug)]
pub struct Load {
    /// All that was answered, in the warm-up and after the measurement too: this is what must be found in
    /// the database.
    pub in_all: Counts,
    /// What was answered during the measurement.
    pub measured: Counts,
    /// The measurement's length.
    pub window: Duration,
    /// Requests that an open loop had due during the measurement, and could not send before its end.
    pub unsent: u64,
    /// Callers that waited for an answer at the same time, at most.
    pub callers_busy: usize,
    latencies: Histogram<u64>,
}

/// Answers by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// [`Answer::Won`].
    pub won: u64,
    /// [`Answer::Lost`].
    pub lost: u64,
    /// [`Answer::Failed`], by their text.
    pub failed: BTreeMap<String, u64>,
}

impl Counts {
    /// All failures.
    pub fn failures(&self) -> u64 {
        self.failed.values().sum()
    }

    /// All answers of whatever kind.
    pub fn all(&self) -> u64 {
        self.won + self.lost + self.failures()
    }

    fn count(&mut self, answer: &Answer) {
        match answer {
            Answer::Won => self.won += 1,
            Answer::Lost => self.lost += 1,
            Answer::Failed(kind) => match self.failed.get_mut(kind) {
                Some(count) => *count += 1,
                None => _ = self.failed.insert(kind.clone(), 1),
            },
        }
    }
}

impl Load {
    /// No load, for as long as this.
    pub fn nothing(window: Duration) -> Self {
        Self::new(window)
    }

    pub(super) fn new(window: Duration) -> Self {
        let latencies = Histogram::new_with_bounds(1, LATENCY_MAX_US, DIGITS);
        Self {
            in_all: Counts::default(),
            measured: Counts::default(),
            window,
            unsent: 0,
            callers_busy: 0,
            latencies: latencies.expect("the bounds of the histogram are in order"),
        }
    }

    /// A request that was due at `due_at` has just been answered, at `now`.
    pub(super) fn answered(&mut self, answer: &Answer, span: Span, due_at: Instant, now: Instant) {
        self.in_all.count(answer);
        if span.contains(now) {
            self.measured.count(answer);
        }
        if span.contains(due_at) {
            self.took(now - due_at);
        }
    }

    /// A request that was due at `due_at` was never sent: it has taken at least until `now`.
    pub(super) fn not_sent(&mut self, span: Span, due_at: Instant, now: Instant) {
        if span.contains(due_at) {
            self.unsent += 1;
            self.took(now - due_at);
        }
    }

    fn took(&mut self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(LATENCY_MAX_US);
        self.latencies.saturating_record(us.max(1));
    }

    /// Accepted requests a second.
    pub fn won_per_s(&self) -> f64 {
        self.per_s(self.measured.won)
    }

    /// Answers of any kind a second.
    pub fn answered_per_s(&self) -> f64 {
        self.per_s(self.measured.all())
    }

    /// The latency that this share of the requests stayed within, in milliseconds; `0.95` is p95.
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        in_ms(self.latencies.value_at_quantile(quantile))
    }

    /// The mean latency, in milliseconds.
    pub fn mean_ms(&self) -> f64 {
        self.latencies.mean() / 1_000.0
    }

    /// The longest latency, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        in_ms(self.latencies.max())
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
    fn per_s(&self, count: u64) -> f64 {
        count as f64 / self.window.as_secs_f64()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a minute of microseconds is far below 2^53"
)]
fn in_ms(us: u64) -> f64 {
    us as f64 / 1_000.0
}

/// The load of a loop whose tasks have all ended.
///
/// # Panics
/// When one of them has panicked.
pub(super) async fn finished(
    tasks: Vec<tokio::task::JoinHandle<()>>,
    load: std::rc::Rc<std::cell::RefCell<Load>>,
) -> Load {
    for task in tasks {
        if let Err(panic) = task.await {
            std::panic::resume_unwind(panic.into_panic());
        }
    }
    std::rc::Rc::into_inner(load)
        .expect("every task has ended and dropped its share")
        .into_inner()
}
