//! What one step measured, round by round, whichever load it was under.

use std::{collections::BTreeMap, path::Path};

use domain::Timestamp;
use local_shop::machine::Machine;

use super::{ReportError, files};
use crate::{
    Spread,
    order_overload::Step,
    result::{OrderOverload, Run},
    spike::{Spike, SpikeRun},
};

/// A file of results: the same load on several shops.
#[derive(Debug)]
pub(super) struct Results {
    pub(super) taken: Taken,
    pub(super) sides: Vec<Side>,
}

/// Where and how they were measured.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) command: String,
    pub(super) taken_at: Timestamp,
    pub(super) machine: Machine,
    pub(super) k6_version: String,
    pub(super) postgres_settings: Vec<String>,
    pub(super) rounds: usize,
}

/// One of those shops.
#[derive(Debug)]
pub(super) struct Side {
    pub(super) step: Step,
    pub(super) figures: Vec<Figure>,
    pub(super) components: Vec<Used>,
    pub(super) decrement: Option<Decrement>,
}

/// One thing that was measured.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) label: &'static str,
    pub(super) unit: Unit,
    pub(super) good: Good,
    pub(super) rounds: Vec<f64>,
}

/// How a figure is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds,
    PerSecond,
    Microseconds,
    /// From 0 to 1, shown in per cent.
    Share,
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Good {
    Less,
    More,
}

/// What a component used.
#[derive(Debug)]
pub(super) struct Used {
    pub(super) name: String,
    pub(super) cpu_percent: Vec<f64>,
    pub(super) cpu_us_per_order: Vec<f64>,
    pub(super) rss_peak_bytes: Vec<f64>,
}

/// What a decrement costs in the stores.
#[derive(Debug)]
pub(super) struct Decrement {
    pub(super) ledger_ms: Vec<f64>,
    /// Empty without a gate.
    pub(super) gate_ms: Vec<f64>,
}

impl Results {
    /// Those in a file of `load/results`, whose name says of which load they are.
    pub(super) fn read(path: &Path) -> Result<Self, ReportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match name.starts_with("spike") {
            true => Self::of_spike(path),
            false => Self::of_order_overload(path),
        }
    }

    fn of_order_overload(path: &Path) -> Result<Self, ReportError> {
        let overload: OrderOverload = files::parse(path)?;
        let by_step = by_step(&overload.runs, |run| (run.step, run.round));
        let sides = by_step.into_iter().map(|(step, runs)| side(step, &runs));
        let sides = sides.collect();
        let taken = Taken {
            command: overload.command,
            taken_at: overload.taken_at,
            machine: overload.machine,
            k6_version: overload.k6_version,
            postgres_settings: overload.postgres_settings,
            rounds: overload.rounds,
        };
        Ok(Self { taken, sides })
    }

    fn of_spike(path: &Path) -> Result<Self, ReportError> {
        let spike: Spike = files::parse(path)?;
        let by_step = by_step(&spike.runs, |run| (run.step, run.round));
        let sides = by_step.into_iter();
        let sides = sides.map(|(step, runs)| side_of_spike(step, &runs, spike.num_users));
        let sides = sides.collect();
        let taken = Taken {
            command: spike.command,
            taken_at: spike.taken_at,
            machine: spike.machine,
            k6_version: spike.k6_version,
            postgres_settings: spike.postgres_settings,
            rounds: spike.rounds,
        };
        Ok(Self { taken, sides })
    }

    /// The side of that step, as a place names it.
    pub(super) fn side(&self, step: &str) -> Option<&Side> {
        self.sides.iter().find(|side| side.step.to_string() == step)
    }
}

/// The runs of each step, in the order of their rounds.
fn by_step<R>(runs: &[R], place: fn(&R) -> (Step, usize)) -> BTreeMap<Step, Vec<&R>> {
    let mut by_step: BTreeMap<Step, Vec<&R>> = BTreeMap::new();
    for run in runs {
        by_step.entry(place(run).0).or_default().push(run);
    }
    for runs in by_step.values_mut() {
        runs.sort_by_key(|run| place(run).1);
    }
    by_step
}

fn side(step: Step, runs: &[&Run]) -> Side {
    let all = |figure: fn(&Run) -> f64| runs.iter().map(|run| figure(run)).collect::<Vec<_>>();
    let figure = |label, unit, good, rounds| Figure {
        label,
        unit,
        good,
        rounds,
    };
    let ms = Unit::Milliseconds;
    Side {
        step,
        figures: vec![
            figure("p95 응답시간", ms, Good::Less, all(|run| run.hold.p95_ms)),
            figure("p99 응답시간", ms, Good::Less, all(|run| run.hold.p99_ms)),
            figure("평균 응답시간", ms, Good::Less, all(|run| run.hold.avg_ms)),
            figure(
                "처리량",
                Unit::PerSecond,
                Good::More,
                all(|run| run.hold.accepted_per_second),
            ),
            figure(
                "에러율",
                Unit::Share,
                Good::Less,
                all(|run| run.hold.error_rate),
            ),
        ],
        components: components(runs),
        decrement: decrement(runs),
    }
}

fn side_of_spike(step: Step, runs: &[&SpikeRun], buyers: usize) -> Side {
    let all = |figure: fn(&SpikeRun) -> f64| runs.iter().map(|run| figure(run)).collect::<Vec<_>>();
    let figure = |label, unit, good, rounds| Figure {
        label,
        unit,
        good,
        rounds,
    };
    let ms = Unit::Milliseconds;
    Side {
        step,
        figures: vec![
            figure("p95 응답시간", ms, Good::Less, all(|run| run.all.p95_ms)),
            figure(
                "p95, 산 사람",
                ms,
                Good::Less,
                all(|run| run.accepted.p95_ms),
            ),
            figure(
                "p95, 품절을 들은 사람",
                ms,
                Good::Less,
                all(|run| run.sold_out.p95_ms),
            ),
            figure("평균 응답시간", ms, Good::Less, all(|run| run.all.avg_ms)),
            figure(
                "처리량",
                Unit::PerSecond,
                Good::More,
                all(|run| run.answers_per_second),
            ),
            // A run with any other answer than these two is refused.
            figure("에러율", Unit::Share, Good::Less, all(|_| 0.0)),
        ],
        components: components_of_spike(runs, buyers),
        decrement: None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "memory of a machine fits")]
fn components_of_spike(runs: &[&SpikeRun], buyers: usize) -> Vec<Used> {
    let names = runs
        .first()
        .map(|run| run.components.keys())
        .into_iter()
        .flatten();
    let used = names.map(|name| {
        let each = || {
            runs.iter()
                .filter_map(|run| Some((run, run.components.get(name)?)))
        };
        Used {
            name: name.clone(),
            cpu_percent: each()
                .map(|(run, it)| it.cpu_seconds / run.seconds * 100.0)
                .collect(),
            cpu_us_per_order: each()
                .map(|(_, it)| it.cpu_seconds / buyers as f64 * 1e6)
                .collect(),
            rss_peak_bytes: each().map(|(_, it)| it.rss_peak_bytes as f64).collect(),
        }
    });
    used.collect()
}

#[expect(clippy::cast_precision_loss, reason = "memory of a machine fits")]
fn components(runs: &[&Run]) -> Vec<Used> {
    let names = runs
        .first()
        .map(|run| &run.components)
        .into_iter()
        .flatten();
    let used = names.map(|first| {
        let name = &first.name;
        let each = runs
            .iter()
            .flat_map(|run| run.components.iter().filter(|one| one.name == *name));
        Used {
            name: name.clone(),
            cpu_percent: each.clone().map(|one| one.cpu_percent).collect(),
            cpu_us_per_order: runs
                .iter()
                .filter_map(|run| run.cpu_us_per_order(name))
                .collect(),
            rss_peak_bytes: each.map(|one| one.rss_peak_bytes as f64).collect(),
        }
    });
    used.collect()
}

fn decrement(runs: &[&Run]) -> Option<Decrement> {
    let each = runs
        .iter()
        .map(|run| run.decrement)
        .collect::<Option<Vec<_>>>()?;
    let gates = each.iter().filter_map(|it| it.gate);
    Some(Decrement {
        ledger_ms: each.iter().map(|it| it.ledger_ms_per_decrement).collect(),
        gate_ms: gates.map(|gate| gate.us_per_decrement / 1e3).collect(),
    })
}

/// The median of the ratios of each round: what the machine does by the hour meets both sides of a round.
pub(super) fn ratio(value: &[f64], other: &[f64], good: Good) -> Option<f64> {
    let pairs = value.iter().zip(other);
    let ratios = pairs.map(|(value, other)| match good {
        Good::Less => other / value,
        Good::More => value / other,
    });
    let ratio = Spread::of(ratios)?.median;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_above_one_where_it_is_better_and_taken_within_rounds() {
        // The second round ran on a machine that was twice as slow.
        assert_eq!(ratio(&[10.0, 20.0], &[50.0, 100.0], Good::Less), Some(5.0));
        assert_eq!(ratio(&[10.0, 20.0], &[5.0, 10.0], Good::More), Some(2.0));
        assert_eq!(ratio(&[0.0], &[0.0], Good::Less), None);
        assert_eq!(ratio(&[], &[], Good::Less), None);
    }
}
