//! Medians over the rounds, and the steps against each other.

use std::collections::{BTreeMap, BTreeSet};

use super::Step;
use crate::{
    Spread,
    result::{ComponentFigures, Ratio, Run, StepFigures},
};

/// What is held against what.
const COMPARED: [(Step, Step); 3] = [
    (Step::Before, Step::Gate),
    (Step::Gate, Step::After),
    (Step::Before, Step::After),
];

/// Each step over its rounds.
pub(super) fn steps(runs: &[Run], steps: &[Step]) -> Vec<StepFigures> {
    let figures = steps.iter().filter_map(|step| {
        let runs: Vec<&Run> = runs.iter().filter(|run| run.step == *step).collect();
        step_figures(*step, &runs)
    });
    figures.collect()
}

fn step_figures(step: Step, runs: &[&Run]) -> Option<StepFigures> {
    let spread = |figure: fn(&Run) -> f64| Spread::of(runs.iter().map(|run| figure(run)));
    let of_decrement = |figure: fn(&Run) -> Option<f64>| {
        let figures = runs.iter().filter_map(|run| figure(run));
        Spread::of(figures)
    };
    Some(StepFigures {
        step,
        p95_ms: spread(|run| run.hold.p95_ms)?,
        p99_ms: spread(|run| run.hold.p99_ms)?,
        avg_ms: spread(|run| run.hold.avg_ms)?,
        accepted_per_second: spread(|run| run.hold.accepted_per_second)?,
        error_rate: spread(|run| run.hold.error_rate)?,
        ledger_ms_per_decrement: of_decrement(ledger_ms),
        gate_us_per_decrement: of_decrement(gate_us),
        components: names(runs)
            .into_iter()
            .filter_map(|name| Some((name.clone(), component_figures(runs, &name)?)))
            .collect(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "memory of a machine fits")]
fn component_figures(runs: &[&Run], name: &str) -> Option<ComponentFigures> {
    let used: Vec<_> = runs
        .iter()
        .filter_map(|run| run.components.iter().find(|one| one.name == name))
        .collect();
    let at_rest = runs
        .iter()
        .filter_map(|run| run.rss_at_rest_bytes.get(name));
    let first = used.iter().map(|one| one.rss_first_bytes as f64);
    Some(ComponentFigures {
        cpu_percent: Spread::of(used.iter().map(|one| one.cpu_percent))?,
        cpu_us_per_order: Spread::of(runs.iter().filter_map(|run| run.cpu_us_per_order(name)))?,
        // k6 is not there before the load: its first reading stands for it.
        rss_at_rest_bytes: Spread::of(at_rest.map(|bytes| *bytes as f64)).or(Spread::of(first))?,
        rss_peak_bytes: Spread::of(used.iter().map(|one| one.rss_peak_bytes as f64))?,
    })
}

/// Steps against each other, each within its round.
pub(super) fn ratios(runs: &[Run], rounds: usize) -> Vec<Ratio> {
    let compared = COMPARED.iter().filter_map(|(from, to)| {
        let find = |step: Step, round| {
            runs.iter()
                .find(|run| run.step == step && run.round == round)
        };
        let pairs = (1..=rounds).filter_map(|round| Some((find(*from, round)?, find(*to, round)?)));
        ratio(*from, *to, &pairs.collect::<Vec<_>>())
    });
    compared.collect()
}

fn ratio(from: Step, to: Step, pairs: &[(&Run, &Run)]) -> Option<Ratio> {
    let spread =
        |figure: fn(&Run, &Run) -> f64| Spread::of(pairs.iter().map(|(a, b)| figure(a, b)));
    let of_decrement = |figure: fn(&Run, &Run) -> Option<f64>| {
        Spread::of(pairs.iter().filter_map(|(a, b)| figure(a, b)))
    };
    let all: Vec<&Run> = pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    let cpu_per_order = names(&all).into_iter().filter_map(|name| {
        let less = pairs
            .iter()
            .filter_map(|(a, b)| Some(a.cpu_us_per_order(&name)? / b.cpu_us_per_order(&name)?));
        Some((name.clone(), Spread::of(less)?))
    });
    Some(Ratio {
        from,
        to,
        p95: spread(|a, b| a.hold.p95_ms / b.hold.p95_ms)?,
        avg: spread(|a, b| a.hold.avg_ms / b.hold.avg_ms)?,
        accepted_per_second: spread(|a, b| {
            b.hold.accepted_per_second / a.hold.accepted_per_second
        })?,
        error_rate_less: spread(|a, b| a.hold.error_rate - b.hold.error_rate)?,
        ledger_per_decrement: of_decrement(|a, b| Some(ledger_ms(a)? / ledger_ms(b)?)),
        ledger_to_gate: of_decrement(|a, b| Some(ledger_ms(a)? * 1e3 / gate_us(b)?)),
        cpu_per_order: cpu_per_order.collect::<BTreeMap<_, _>>(),
    })
}

fn ledger_ms(run: &Run) -> Option<f64> {
    Some(run.decrement?.ledger_ms_per_decrement)
}

fn gate_us(run: &Run) -> Option<f64> {
    Some(run.decrement?.gate?.us_per_decrement)
}

fn names(runs: &[&Run]) -> BTreeSet<String> {
    let all = runs.iter().flat_map(|run| &run.components);
    all.map(|one| one.name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::{Answers, Decrement, GateCost};

    fn run(step: Step, round: usize, p95_ms: f64, accepted: u64) -> Run {
        let answers = Answers {
            seconds: 10.0,
            accepted,
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            accepted_per_second: accepted as f64 / 10.0,
            error_rate: 0.0,
            avg_ms: p95_ms / 2.0,
            p50_ms: p95_ms / 2.0,
            p95_ms,
            p99_ms: p95_ms * 2.0,
            max_ms: p95_ms * 3.0,
        };
        let is_before = step == Step::Before;
        Run {
            round,
            step,
            variables: BTreeMap::new(),
            load_average_before: [0.0; 3],
            hold: answers,
            whole: answers,
            is_within_thresholds: true,
            components: Vec::new(),
            rss_at_rest_bytes: BTreeMap::new(),
            decrement: Some(Decrement {
                held: 100.0,
                commits: 100.0,
                commit_ms: 5.0,
                ledger_ms_per_decrement: if is_before { 5.0 } else { 0.5 },
                gate: (!is_before).then_some(GateCost {
                    script_calls: 10.0,
                    script_us: 100.0,
                    us_per_decrement: 10.0,
                }),
            }),
            units: None,
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_those_within_each_round() {
        // The second round ran on a machine twice as slow, which says nothing about the steps.
        let runs = [
            run(Step::Before, 1, 100.0, 1_000),
            run(Step::After, 1, 10.0, 8_000),
            run(Step::After, 2, 20.0, 4_000),
            run(Step::Before, 2, 200.0, 500),
        ];
        let ratios = ratios(&runs, 2);
        assert_eq!(ratios.len(), 1);
        let ratio = &ratios[0];
        assert_eq!((ratio.from, ratio.to), (Step::Before, Step::After));
        assert_eq!((ratio.p95.min, ratio.p95.max), (10.0, 10.0));
        assert_eq!(ratio.accepted_per_second.median, 8.0);
        assert_eq!(ratio.ledger_per_decrement.unwrap().median, 10.0);
        assert_eq!(ratio.ledger_to_gate.unwrap().median, 500.0);
    }

    #[test]
    fn a_step_has_the_median_of_its_rounds() {
        let runs = [
            run(Step::After, 1, 10.0, 1_000),
            run(Step::After, 2, 30.0, 3_000),
            run(Step::After, 3, 20.0, 2_000),
            run(Step::Before, 1, 99.0, 1),
        ];
        let figures = steps(&runs, &[Step::After]);
        assert_eq!(figures.len(), 1);
        assert_eq!(figures[0].p95_ms.median, 20.0);
        assert_eq!(figures[0].accepted_per_second.max, 300.0);
    }
}
