//! What came of a burst, as tables and as JSON.

use serde_json::{Value, json};
use service_kit::out;

use super::{
    burst::Burst,
    tally::Tally,
    verdict::{Verdict, figure},
};
use crate::cli::grouped;

const OUT_OF_STOCK: &str = "OUT_OF_STOCK";
/// Upper bounds of the histogram's rows, in microseconds; the last row has none.
const BOUNDS_US: [u32; 9] = [
    1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000,
];
const BAR_WIDTH: u64 = 40;
/// The figures of a live sum, in the order of its equation.
const FIGURES: [&str; 7] = [
    "initial",
    "restocked",
    "available",
    "held",
    "sold",
    "written_off",
    "returned",
];

/// Everything there is to say.
#[derive(Debug)]
pub(super) struct Report {
    burst: Burst,
    before: Value,
    after: Value,
    pub(super) verdict: Verdict,
}

impl Report {
    pub(super) fn new(mut burst: Burst, before: Value, after: Value) -> Self {
        burst.tally.latencies_us.sort_unstable();
        let verdict = Verdict::of(&burst.tally, burst.elapsed, &before, &after);
        Self {
            burst,
            before,
            after,
            verdict,
        }
    }

    pub(super) fn print(&self, is_json: bool) {
        if is_json {
            return out::line(self.json());
        }
        for text in self
            .answers()
            .into_iter()
            .chain(self.times())
            .chain(self.sums())
        {
            out::line(text);
        }
        let tally = &self.burst.tally;
        let accepted = grouped(tally.accepted);
        match self.verdict.is_good() {
            true => out::line(format!(
                "\nVerdict: good. {accepted} orders accepted; the sum is exact; no unit was sold twice"
            )),
            false => out::line("\nVerdict: BAD"),
        }
        for text in self.verdict.faults.iter().chain(&self.verdict.notes) {
            out::line(format!("  {text}"));
        }
    }

    fn answers(&self) -> Vec<String> {
        let tally = &self.burst.tally;
        let mut lines = vec![
            row("accepted", tally.accepted),
            row("sold out", tally.refused_with(OUT_OF_STOCK)),
        ];
        let others = tally
            .refused
            .iter()
            .filter(|(code, _)| *code != OUT_OF_STOCK);
        lines.extend(others.map(|(code, count)| row(code, *count)));
        if tally.unanswered > 0 {
            lines.push(row("no answer", tally.unanswered));
        }
        let elapsed = self.burst.elapsed.as_secs_f64();
        lines.push(format!(
            "{:<14}{:>9}   {elapsed:.2} s, {} answers/s",
            "answers",
            grouped(answered(tally)),
            grouped(self.answers_per_second())
        ));
        lines
    }

    fn answers_per_second(&self) -> u64 {
        let elapsed_us = self.burst.elapsed.as_micros().max(1);
        let per_second = u128::from(answered(&self.burst.tally)) * 1_000_000 / elapsed_us;
        u64::try_from(per_second).unwrap_or(u64::MAX)
    }

    fn percentile_us(&self, per_mille: usize) -> u32 {
        let sorted = &self.burst.tally.latencies_us;
        let rank = (sorted.len() * per_mille).div_ceil(1_000).max(1);
        sorted.get(rank - 1).copied().unwrap_or(0)
    }

    fn times(&self) -> Vec<String> {
        let shown = [("p50", 500), ("p95", 950), ("p99", 990), ("max", 1_000)]
            .map(|(name, rank)| format!("{name} {:.1} ms", millis(self.percentile_us(rank))));
        let mut lines = vec![String::new(), shown.join("   ")];
        lines.extend(histogram(&self.burst.tally.latencies_us));
        lines
    }

    fn sums(&self) -> Vec<String> {
        let titles = FIGURES.map(|name| format!("{:>13}", name.replace('_', " ")));
        let sum = |live: &Value| {
            let figures = FIGURES.map(|name| {
                let units = u64::try_from(figure(live, name)).unwrap_or(0);
                format!("{:>13}", grouped(units))
            });
            figures.concat()
        };
        vec![
            format!("\n{:7}{}", "", titles.concat()),
            format!("{:7}{}", "before", sum(&self.before)),
            format!("{:7}{}", "after", sum(&self.after)),
        ]
    }

    fn json(&self) -> Value {
        let tally = &self.burst.tally;
        let latency_ms = json!({
            "p50": millis(self.percentile_us(500)), "p95": millis(self.percentile_us(950)),
            "p99": millis(self.percentile_us(990)), "max": millis(self.percentile_us(1_000)),
        });
        json!({
            "accepted": tally.accepted,
            "out_of_stock": tally.refused_with(OUT_OF_STOCK),
            "refused": tally.refused,
            "unanswered": tally.unanswered,
            "elapsed_ms": u64::try_from(self.burst.elapsed.as_millis()).unwrap_or(u64::MAX),
            "answers_per_second": self.answers_per_second(),
            "latency_ms": latency_ms,
            "before": self.before,
            "after": self.after,
            "verdict": {
                "is_good": self.verdict.is_good(),
                "faults": self.verdict.faults, "notes": self.verdict.notes,
            },
        })
    }
}

fn row(name: &str, count: u64) -> String {
    format!("{name:<14}{:>9}", grouped(count))
}

fn answered(tally: &Tally) -> u64 {
    tally.accepted + tally.refused.values().sum::<u64>()
}

fn millis(micros: u32) -> f64 {
    f64::from(micros) / 1_000.0
}

/// A row for each bound that somebody needed, from the first to the last of them.
fn histogram(sorted_us: &[u32]) -> Vec<String> {
    let mut counts = [0_u64; BOUNDS_US.len() + 1];
    for latency in sorted_us {
        counts[BOUNDS_US.partition_point(|bound| bound <= latency)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let first = counts.iter().position(|count| *count > 0).unwrap_or(0);
    let last = counts.iter().rposition(|count| *count > 0).unwrap_or(0);
    let shown = counts.iter().enumerate().take(last + 1).skip(first);
    shown
        .map(|(index, count)| {
            let label = match BOUNDS_US.get(index) {
                Some(bound) => format!("< {} ms", bound / 1_000),
                None => "longer".to_owned(),
            };
            let bar = (count * BAR_WIDTH).div_ceil(most);
            let bar = "█".repeat(usize::try_from(bar).unwrap_or(0));
            format!("{label:>10}  {bar} {}", grouped(*count))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn report(latencies_us: Vec<u32>) -> Report {
        let tally = Tally {
            accepted: latencies_us.len().try_into().unwrap(),
            latencies_us,
            ..Tally::default()
        };
        let elapsed = Duration::from_millis(500);
        Report::new(Burst { tally, elapsed }, Value::Null, Value::Null)
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let report = report((1..=1_000).rev().collect());
        assert_eq!(report.percentile_us(500), 500);
        assert_eq!(report.percentile_us(990), 990);
        assert_eq!(report.percentile_us(1_000), 1_000);
        assert_eq!(report.answers_per_second(), 2_000);
    }

    #[test]
    fn a_report_of_nothing_is_no_panic() {
        let report = report(Vec::new());
        assert_eq!(report.percentile_us(500), 0);
        assert_eq!(histogram(&[]).len(), 1);
    }

    #[test]
    fn the_histogram_has_every_answer_once() {
        let rows = histogram(&[999, 1_000, 1_999, 600_000]);
        assert!(
            rows[0].ends_with(" 1") && rows[1].ends_with(" 2"),
            "{rows:?}"
        );
        assert!(rows.last().unwrap().contains("longer"), "{rows:?}");
        assert_eq!(rows.len(), 10);
    }
}
