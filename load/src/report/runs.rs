//! Files of `bench/results`, of which only what is shown is read, and figures of several runs as one.

use std::collections::BTreeMap;

use domain::Timestamp;
use local_shop::machine::Machine;
use serde::Deserialize;

use crate::Spread;

#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub(super) journal: Journal,
    pub(super) figures: Vec<Figure>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Journal {
    pub(super) begun_at: Timestamp,
    pub(super) revision: String,
    pub(super) machine: Machine,
    pub(super) rounds: usize,
    pub(super) measured_s: f64,
    pub(super) warm_up_s: f64,
    pub(super) postgres_settings: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Figure {
    pub(super) id: String,
    pub(super) command: String,
    pub(super) sides: Vec<Side>,
    pub(super) ratios: Vec<Ratio>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Side {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) samples: Vec<Sample>,
    pub(super) spread: Option<Spread>,
    pub(super) aim: Option<Aim>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Sample {
    pub(super) value: f64,
    pub(super) latency: Option<Latency>,
    /// What else was measured, such as `order_service_cpu_s`.
    #[serde(default)]
    pub(super) details: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Latency {
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ratio {
    pub(super) over: String,
    pub(super) under: String,
    /// One of each round.
    pub(super) rounds: Vec<f64>,
    pub(super) spread: Spread,
    pub(super) aim: Option<Aim>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Aim {
    pub(super) better: Better,
    pub(super) aim: f64,
    pub(super) at_least: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Better {
    Higher,
    Lower,
}

/// A figure of all runs of one revision.
pub(super) struct Found<'a> {
    pub(super) files: Vec<&'a str>,
    /// Length of each measurement, in seconds, in the newest of them.
    pub(super) measured_s: f64,
    pub(super) figure: Figure,
}

pub(super) fn find<'a>(reports: &'a [(String, Report)], id: &str) -> Option<Found<'a>> {
    let with_it = reports.iter().filter_map(|(file, report)| {
        let figure = report.figures.iter().find(|figure| figure.id == id)?;
        Some((file.as_str(), &report.journal, figure))
    });
    let mut with_it = with_it.peekable();
    let newest = *with_it.peek()?;
    let of_it = with_it.filter(|(_, journal, _)| journal.revision == newest.1.revision);
    let (mut files, mut figures) = (Vec::new(), Vec::new());
    for (file, _, figure) in of_it {
        files.push(file);
        figures.push(figure);
    }
    Some(Found {
        files,
        measured_s: newest.1.measured_s,
        figure: together(&figures)?,
    })
}

/// The rounds of all of them, as if they were of one run.
pub(super) fn together(figures: &[&Figure]) -> Option<Figure> {
    let (first, others) = figures.split_first()?;
    let mut whole = Figure::clone(first);
    for side in &mut whole.sides {
        let same = others.iter().flat_map(|other| &other.sides);
        for same in same.filter(|same| same.name == side.name) {
            side.samples.extend(same.samples.iter().cloned());
        }
        side.spread = Spread::of(side.samples.iter().map(|sample| sample.value));
    }
    for ratio in &mut whole.ratios {
        let is_same = |same: &&Ratio| same.over == ratio.over && same.under == ratio.under;
        let same = others.iter().flat_map(|other| &other.ratios);
        let rounds: Vec<f64> = same
            .filter(is_same)
            .flat_map(|same| &same.rounds)
            .copied()
            .collect();
        ratio.rounds.extend(rounds);
        ratio.spread = Spread::of(ratio.rounds.iter().copied()).unwrap_or(ratio.spread);
    }
    Some(whole)
}
