//! Two files against each other.

use std::fmt::Write as _;

use crate::journal::Journal;

use super::{Figure, Ratio, Report, Side, table::number};

/// A difference counts when it is more than this, and more than both files' own scatter.
const NOISE: f64 = 0.05;

/// Every side and every ratio that both reports have: before, after, and the change, with `~` where it
/// is no larger than the scatter of the rounds. Then what only one of them has.
pub fn compare(before: &Report, after: &Report) -> String {
    let mut text = String::new();
    let (old, new): (&Journal, &Journal) = (&before.journal, &after.journal);
    let _ = writeln!(text, "A  {} {}", old.begun_at, old.revision);
    let _ = writeln!(text, "B  {} {}", new.begun_at, new.revision);
    let machine = |journal: &Journal| {
        let machine = &journal.machine;
        (machine.cpu_model.clone(), machine.cpu_count)
    };
    if machine(old) != machine(new) {
        let _ = writeln!(text, "The machines differ: only ratios can be compared.");
    }
    let _ = writeln!(
        text,
        "\n{:<6} {:<44} {:>12} {:>12} {:>9}",
        "", "", "A", "B", "change"
    );
    for figure in &before.figures {
        match after.figures.iter().find(|other| other.id == figure.id) {
            Some(other) => compare_figure(&mut text, figure, other),
            None => _ = writeln!(text, "{:<6} only in A", figure.id),
        }
    }
    let is_new = |figure: &&Figure| !before.figures.iter().any(|old| old.id == figure.id);
    for figure in after.figures.iter().filter(is_new) {
        let _ = writeln!(text, "{:<6} only in B", figure.id);
    }
    text
}

fn compare_figure(text: &mut String, before: &Figure, after: &Figure) {
    for ratio in &before.ratios {
        let same = |other: &&Ratio| other.over == ratio.over && other.under == ratio.under;
        if let Some(other) = after.ratios.iter().find(same) {
            let name = format!("{} : {}", ratio.over, ratio.under);
            line(
                text,
                &before.id,
                &name,
                ratio.spread.into(),
                other.spread.into(),
            );
        }
    }
    for side in &before.sides {
        let same = |other: &&Side| other.name == side.name && other.unit == side.unit;
        let other = after.sides.iter().find(same).and_then(|other| other.spread);
        if let (Some(old), Some(new)) = (side.spread, other) {
            let name = format!("  {} ({})", side.name, side.unit);
            line(text, &before.id, &name, old.into(), new.into());
        }
    }
}

/// A median, and how far the rounds lie from it.
#[derive(Clone, Copy)]
struct Reading {
    median: f64,
    scatter: f64,
}

impl From<crate::stats::Spread> for Reading {
    fn from(spread: crate::stats::Spread) -> Self {
        Self {
            median: spread.median,
            scatter: (spread.iqr / spread.median).abs(),
        }
    }
}

fn line(text: &mut String, id: &str, name: &str, before: Reading, after: Reading) {
    let _ = writeln!(
        text,
        "{id:<6} {name:<44} {:>12} {:>12} {:>9}",
        number(before.median),
        number(after.median),
        change(before, after)
    );
}

fn change(before: Reading, after: Reading) -> String {
    let change = after.median / before.median - 1.0;
    let noise = NOISE.max(before.scatter).max(after.scatter);
    let mark = if change.abs() > noise { "" } else { "~" };
    format!("{mark}{:+.1} %", change * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        journal::Surroundings,
        results::{SCHEMA, Sample},
    };

    fn report(figures: Vec<Figure>) -> Report {
        Report {
            schema: SCHEMA,
            journal: journal(),
            figures,
        }
    }

    fn journal() -> Journal {
        let text = r#"{
            "begun_at": "2026-11-21T17:54:30Z", "ended_at": "2026-11-21T17:55:30Z",
            "revision": "958c8c1", "profile": "release",
            "machine": {
                "cpu_model": "some", "cpu_count": 2, "memory_bytes": 1, "kernel": "6",
                "load_average": [0, 0, 0], "busy": [],
                "disk": {"per_second": 1, "p50_ms": 1, "p99_ms": 1},
                "versions": {"rustc": "", "postgres": "", "redis": "", "nginx": ""},
                "revision": {"commit": "958c8c1", "is_dirty": false}
            },
            "load_average_after": [0, 0, 0], "rounds": 5, "measured_s": 5, "warm_up_s": 2,
            "postgres_settings": {}
        }"#;
        serde_json::from_str(text).unwrap()
    }

    fn figure(id: &str, over: &[f64], under: &[f64]) -> Figure {
        let side = |name: &str, values: &[f64]| {
            let sample = |value: &f64| Sample {
                value: *value,
                ..Sample::default()
            };
            Side::new(name, "1/s", values.iter().map(sample).collect())
        };
        let sides = vec![side("ours", over), side("theirs", under)];
        let ratio = Ratio::of(&sides[0], &sides[1], None).unwrap();
        Figure {
            id: id.to_owned(),
            what: String::new(),
            command: String::new(),
            ratios: vec![ratio],
            sides,
            surroundings: Surroundings::default(),
        }
    }

    #[test]
    fn a_change_beyond_the_scatter_shows_and_one_within_it_is_marked() {
        let before = report(vec![figure("P1a", &[100.0, 102.0], &[200.0, 200.0])]);
        let after = report(vec![figure("P1a", &[150.0, 150.0], &[203.0, 203.0])]);
        let text = compare(&before, &after);
        let line = |name: &str| {
            let line = text.lines().find(|line| line.contains(name)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(line("  ours ("), "P1a ours (1/s) 101 150 +48.5 %");
        assert_eq!(line("theirs ("), "P1a theirs (1/s) 200 203 ~+1.5 %");
        assert!(line("ours : theirs").contains("0.51 0.74 +"));
    }

    #[test]
    fn rounds_that_scatter_hide_a_small_change() {
        let before = report(vec![figure("P2", &[100.0, 150.0, 200.0], &[1.0; 3])]);
        let after = report(vec![figure("P2", &[180.0, 180.0, 180.0], &[1.0; 3])]);
        assert!(compare(&before, &after).contains("~+20.0 %"));
    }

    #[test]
    fn what_only_one_file_has_is_named() {
        let before = report(vec![figure("P1a", &[1.0], &[1.0])]);
        let after = report(vec![figure("P6", &[1.0], &[1.0])]);
        let text = compare(&before, &after);
        assert!(text.contains("P1a    only in A") && text.contains("P6     only in B"));
    }
}
