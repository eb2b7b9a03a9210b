//! What is printed at the end of a run.

use std::fmt::Write as _;

use super::{Aim, Better, Figure, Report, Side};
use crate::{journal::Surroundings, stats::Spread};

/// The report as text for a terminal.
pub fn table(report: &Report) -> String {
    let mut text = String::new();
    for figure in &report.figures {
        sides(&mut text, figure);
    }
    ratios(&mut text, &report.figures);
    text
}

fn sides(text: &mut String, figure: &Figure) {
    let _ = writeln!(text, "\n{}  {}", figure.id, figure.what);
    let _ = writeln!(
        text,
        "    {:<28} {:>12} {:>23} {:>9} {:>9} {:>9}",
        "", "median", "min – max", "p50 ms", "p95 ms", "p99 ms"
    );
    for side in &figure.sides {
        let Some(spread) = side.spread else { continue };
        let range = format!("{} – {}", number(spread.min), number(spread.max));
        let _ = write!(
            text,
            "    {:<28} {:>12} {range:>23}",
            side.name,
            format!("{} {}", number(spread.median), side.unit)
        );
        for latency in latencies(side) {
            let _ = write!(text, " {latency:>9.2}");
        }
        let _ = writeln!(text);
    }
    let Surroundings {
        took_s,
        others_cpu_s,
        ..
    } = figure.surroundings;
    let _ = writeln!(
        text,
        "    in {took_s:.0} s, in which other programs used {others_cpu_s:.1} s of CPU"
    );
}

/// Medians over the rounds of p50, p95 and p99.
fn latencies(side: &Side) -> Vec<f64> {
    let known: Vec<_> = side.samples.iter().filter_map(|s| s.latency).collect();
    if known.is_empty() {
        return Vec::new();
    }
    let middle = |of: fn(&super::Latency) -> f64| {
        crate::stats::median(&known.iter().map(of).collect::<Vec<f64>>())
    };
    vec![
        middle(|latency| latency.p50_ms),
        middle(|latency| latency.p95_ms),
        middle(|latency| latency.p99_ms),
    ]
}

fn ratios(text: &mut String, figures: &[Figure]) {
    let _ = writeln!(
        text,
        "\n{:<6} {:<44} {:>8} {:>9} {:>9} {:>17}  verdict",
        "", "", "aim", "at least", "measured", "min – max"
    );
    for figure in figures {
        for ratio in &figure.ratios {
            let name = format!("{} : {}", ratio.over, ratio.under);
            verdict(text, &figure.id, &name, ratio.spread, ratio.aim);
        }
        let aimed = figure.sides.iter().filter(|side| side.aim.is_some());
        for (side, spread) in aimed.filter_map(|side| Some((side, side.spread?))) {
            let name = format!("{} ({})", side.name, side.unit);
            verdict(text, &figure.id, &name, spread, side.aim);
        }
    }
}

fn verdict(text: &mut String, id: &str, name: &str, spread: Spread, aim: Option<Aim>) {
    let (bound, least, word) = aim.map_or_else(Default::default, |aim| {
        let sign = if aim.better == Better::Lower {
            "≤ "
        } else {
            ""
        };
        let bound = |value: f64| match value < f64::MAX {
            true => format!("{sign}{}", number(value)),
            false => String::new(),
        };
        (
            bound(aim.aim),
            bound(aim.at_least),
            aim.verdict(spread.median).word(),
        )
    });
    let range = format!("{} – {}", number(spread.min), number(spread.max));
    let _ = writeln!(
        text,
        "{id:<6} {name:<44} {bound:>8} {least:>9} {:>9} {range:>17}  {word}",
        number(spread.median),
    );
}

/// Three digits or more, whatever the size.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => grouped(value),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 {
        text.insert(0, '-');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_show_three_digits_or_more() {
        let shown = [0.4567, 1.25, 12.34, 123.4, 1_234.5, 1_234_567.0, -1_000.0].map(number);
        let expected = [
            "0.46",
            "1.25",
            "12.3",
            "123",
            "1,234",
            "1,234,567",
            "-1,000",
        ];
        assert_eq!(shown, expected);
    }
}
