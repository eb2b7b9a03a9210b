//! What is printed at the end of a run.

use std::fmt::Write as _;

use super::{Better, Figure, Report, Side};
use crate::journal::Surroundings;

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
        "", "ratio", "aim", "at least", "measured", "min – max"
    );
    for figure in figures {
        for ratio in &figure.ratios {
            let (median, min, max) = (ratio.spread.median, ratio.spread.min, ratio.spread.max);
            let bounds = ratio.aim.map_or_else(Default::default, |aim| {
                let sign = if aim.better == Better::Lower {
                    "≤ "
                } else {
                    ""
                };
                (
                    format!("{sign}{}", number(aim.aim)),
                    format!("{sign}{}", number(aim.at_least)),
                    aim.verdict(median).word(),
                )
            });
            let _ = writeln!(
                text,
                "{:<6} {:<44} {:>8} {:>9} {:>9} {:>17}  {}",
                figure.id,
                format!("{} : {}", ratio.over, ratio.under),
                bounds.0,
                bounds.1,
                number(median),
                format!("{} – {}", number(min), number(max)),
                bounds.2
            );
        }
    }
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
