//! What the stores spend on a decrement: the ledger's transactions by product-service's own metrics, the gate's
//! scripts by Redis's `INFO commandstats`.

use local_shop::Shop;

use crate::result::{Decrement, GateCost};

/// Units that product-service's metrics and Redis's statistics count from the start of their processes, so that the
/// difference of two readings is what happened in between.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Readings {
    held: f64,
    asked: f64,
    commits: f64,
    commit_seconds: f64,
    script_calls: u64,
    script_usec: u64,
    has_gate: bool,
}

impl Readings {
    /// Of all replicas together, now.
    pub(crate) async fn take(shop: &Shop) -> Self {
        let mut sum = Self::default();
        for replica in &shop.product {
            let (_, text, _) = replica.ops.get("/metrics", &[]).await;
            sum.add_metrics(text.as_str().unwrap_or_default());
        }
        if let Some(redis) = &shop.redis {
            let stats = redis.command_stats("evalsha").await;
            sum.has_gate = true;
            sum.script_calls = stats.calls;
            sum.script_usec = stats.usec;
        }
        sum
    }

    fn add_metrics(&mut self, text: &str) {
        const DECREMENTS: &str = "stock_decrements_total";
        self.asked += total(text, DECREMENTS, |_| true);
        self.held += total(text, DECREMENTS, |labels| {
            labels.contains("outcome=\"held\"")
        });
        self.commits += total(text, "ledger_commit_duration_seconds_count", |_| true);
        self.commit_seconds += total(text, "ledger_commit_duration_seconds_sum", |_| true);
    }

    /// What was spent between `before` and this.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of minutes fit")]
    pub(crate) fn since(&self, before: &Self) -> Decrement {
        let held = self.held - before.held;
        let asked = self.asked - before.asked;
        let commits = self.commits - before.commits;
        let commit_seconds = self.commit_seconds - before.commit_seconds;
        let script_calls = (self.script_calls - before.script_calls) as f64;
        let script_seconds = (self.script_usec - before.script_usec) as f64 / 1e6;
        Decrement {
            held,
            commits,
            commit_ms: commit_seconds / commits * 1e3,
            ledger_ms_per_decrement: commit_seconds / held * 1e3,
            gate: self.has_gate.then(|| GateCost {
                script_calls,
                script_us: script_seconds / script_calls * 1e6,
                us_per_decrement: script_seconds / asked * 1e6,
            }),
        }
    }
}

/// The sum of a metric's values over all its labels that count: `name{labels} value`.
fn total(text: &str, name: &str, counts: impl Fn(&str) -> bool) -> f64 {
    let lines = text.lines().filter_map(|line| line.strip_prefix(name));
    let values = lines.filter_map(|rest| {
        let (labels, value) = rest.rsplit_once(' ')?;
        let is_whole_name = labels.is_empty() || labels.starts_with('{');
        (is_whole_name && counts(labels)).then(|| value.parse::<f64>().ok())?
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# HELP stock_decrements_total requests to hold stock
stock_decrements_total{path=\"gate\",outcome=\"held\"} 10
stock_decrements_total{path=\"gate\",outcome=\"out_of_stock\"} 30
stock_decrements_total_of_others 99
ledger_commit_duration_seconds_bucket{le=\"0.1\"} 4
ledger_commit_duration_seconds_sum 0.02
ledger_commit_duration_seconds_count 4
";

    #[test]
    fn a_decrement_costs_what_was_spent_between_two_readings() {
        let mut after = Readings::default();
        after.add_metrics(METRICS);
        after.has_gate = true;
        after.script_calls = 5;
        after.script_usec = 400;
        let cost = after.since(&Readings::default());
        assert_eq!((cost.held, cost.commits), (10.0, 4.0));
        assert!((cost.commit_ms - 5.0).abs() < 1e-9);
        assert!((cost.ledger_ms_per_decrement - 2.0).abs() < 1e-9);
        let gate = cost.gate.unwrap();
        assert!((gate.script_us - 80.0).abs() < 1e-9);
        assert!((gate.us_per_decrement - 10.0).abs() < 1e-9);
    }
}
