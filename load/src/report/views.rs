//! Tables of the results of `load/results`.

use std::path::Path;

use super::{
    ReportError,
    files::Root,
    machine,
    marks::Mark,
    side::{Figure, Good, Results, Side, Unit, Used, ratio},
    table::{figure, megabytes, percent, table},
};
use crate::{Spread, order_overload::Step};

/// The view that the mark asks for; `None` if there are no results.
pub(super) fn render(root: &Root, mark: Mark<'_>) -> Result<Option<String>, ReportError> {
    let newest = root.newest(mark.file)?;
    let Some(path) = newest.first() else {
        return Ok(None);
    };
    let results = Results::read(path)?;
    let words: Vec<&str> = mark.view.split(' ').collect();
    let rendered = match words[..] {
        ["environment"] => Some(machine::of_load(&results.taken, &root.said(path))),
        ["performance", step] => results.side(step).map(performance),
        ["resources", step] => results.side(step).map(resources),
        ["comparison", from, to] => both(&results, from, to).map(comparison),
        ["summary"] => summary(&results),
        ["decrement"] => decrement(&results),
        ["picture", name] => picture(path, name),
        _ => None,
    };
    let no_view = || ReportError::View {
        file: root.said(path).into_owned(),
        view: mark.view.to_owned(),
    };
    let rendered = rendered.ok_or_else(no_view)?;
    // The environment has it in a row of its own.
    Ok(Some(match words[0] {
        "environment" | "picture" => rendered,
        _ => format!("{rendered}\n명령: `{}`\n", results.taken.command),
    }))
}

/// What the reports call a step.
fn title(step: Step) -> &'static str {
    match step {
        Step::Before => "기존 (DB)",
        Step::Gate => "개선 1 (게이트)",
        Step::After => "개선 2 (묶음 커밋)",
        Step::Given => "떠 있던 시스템",
    }
}

/// Components in the order of a request, and what the reports call them.
pub(super) const COMPONENTS: [(&str, &str); 6] = [
    ("order-service", "Order"),
    ("product-service", "Product"),
    ("gateway", "Gateway"),
    ("postgres", "Postgres"),
    ("redis", "Redis"),
    ("k6", "k6 (부하 생성기)"),
];

fn component(name: &str) -> &str {
    let known = COMPONENTS.iter().find(|(known, _)| *known == name);
    known.map_or(name, |(_, title)| title)
}

fn performance(side: &Side) -> String {
    let rows = side
        .figures
        .iter()
        .map(|it| [it.label.to_owned(), cell(it.unit, &it.rounds)]);
    table(&["항목", "값"], rows)
}

fn resources(side: &Side) -> String {
    let mut components: Vec<&Used> = side.components.iter().collect();
    components.sort_by_key(|used| COMPONENTS.iter().position(|(name, _)| *name == used.name));
    let rows = components.into_iter().map(|used| {
        [
            component(&used.name).to_owned(),
            spread(&used.cpu_percent, |value| format!("{}%", figure(value))),
            spread(&used.cpu_us_per_order, |value| {
                format!("{} µs", figure(value))
            }),
            spread(&used.rss_peak_bytes, megabytes),
        ]
    });
    table(
        &[
            "구성 요소",
            "CPU (코어 하나가 100%)",
            "요청 한 건당 CPU",
            "메모리 (최대)",
        ],
        rows,
    )
}

fn both<'a>(results: &'a Results, from: &str, to: &str) -> Option<[&'a Side; 2]> {
    Some([results.side(from)?, results.side(to)?])
}

fn comparison([from, to]: [&Side; 2]) -> String {
    let mut rows = Vec::new();
    for (old, new) in from.figures.iter().zip(&to.figures) {
        rows.push(compared(old, new));
    }
    let cpu = |side: &Side| Figure {
        label: "요청 한 건당 CPU (k6 빼고)",
        unit: Unit::Microseconds,
        good: Good::Less,
        rounds: system_cpu_us(&side.components),
    };
    rows.push(compared(&cpu(from), &cpu(to)));
    table(&["항목", title(from.step), title(to.step), "비율"], rows)
}

fn compared(old: &Figure, new: &Figure) -> [String; 4] {
    [
        old.label.to_owned(),
        cell(old.unit, &old.rounds),
        cell(new.unit, &new.rounds),
        times(&new.rounds, &old.rounds, new.good),
    ]
}

fn summary(results: &Results) -> Option<String> {
    let (first, last) = (results.sides.first()?, results.sides.last()?);
    let mut head = vec!["항목"];
    head.extend(results.sides.iter().map(|side| title(side.step)));
    head.push("기존 → 마지막");
    let rows = first.figures.iter().enumerate().map(|(at, old)| {
        let mut row = vec![old.label.to_owned()];
        row.extend(
            results
                .sides
                .iter()
                .map(|side| cell(old.unit, &side.figures[at].rounds)),
        );
        row.push(times(&last.figures[at].rounds, &old.rounds, old.good));
        row
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    rows.push(cpu_row(results, first, last));
    Some(table(&head, rows))
}

fn cpu_row(results: &Results, first: &Side, last: &Side) -> Vec<String> {
    let mut row = vec!["요청 한 건당 CPU (k6 빼고)".to_owned()];
    let cpu = |side: &Side| system_cpu_us(&side.components);
    row.extend(
        results
            .sides
            .iter()
            .map(|side| cell(Unit::Microseconds, &cpu(side))),
    );
    row.push(times(&cpu(last), &cpu(first), Good::Less));
    row
}

/// CPU for one request of all components but the load's own, round by round.
fn system_cpu_us(components: &[Used]) -> Vec<f64> {
    let ours: Vec<&Used> = components.iter().filter(|used| used.name != "k6").collect();
    let rounds = ours
        .iter()
        .map(|used| used.cpu_us_per_order.len())
        .min()
        .unwrap_or(0);
    (0..rounds)
        .map(|round| ours.iter().map(|used| used.cpu_us_per_order[round]).sum())
        .collect()
}

/// The time of the stores for a decrement: before, in a transaction of its own; after, in Redis.
fn decrement(results: &Results) -> Option<String> {
    let costs = results
        .sides
        .iter()
        .map(|side| Some((side, side.decrement.as_ref()?)));
    let costs: Vec<_> = costs.collect::<Option<_>>()?;
    let before = &costs.first()?.1.ledger_ms;
    let rows = costs.iter().enumerate().map(|(at, (side, cost))| {
        let (what, taken) = match cost.gate_ms.is_empty() {
            true => ("SQL 트랜잭션", &cost.ledger_ms),
            false => ("Redis 스크립트", &cost.gate_ms),
        };
        [
            title(side.step).to_owned(),
            what.to_owned(),
            cell(Unit::Milliseconds, taken),
            match at {
                0 => "기준".to_owned(),
                _ => times(taken, before, Good::Less),
            },
            cell(Unit::Milliseconds, &cost.ledger_ms),
        ]
    });
    let head = [
        "",
        "차감하는 곳",
        "재고 차감 한 건",
        "비율",
        "원장 기록 한 건 (나눠 낸 몫)",
    ];
    Some(table(&head, rows))
}

/// A picture that was drawn with the results, as a document two folders below the repository shows it.
fn picture(results: &Path, name: &str) -> Option<String> {
    let stem = results.file_stem()?.to_str()?;
    let folder = results.parent()?.file_name()?.to_str()?;
    let file = format!("{stem}-{name}.svg");
    let is_there = results.with_file_name(&file).exists();
    is_there.then(|| format!("![{name}](../../load/{folder}/{file})\n"))
}

fn cell(unit: Unit, rounds: &[f64]) -> String {
    match unit {
        Unit::Milliseconds => spread(rounds, |value| format!("{} ms", figure(value))),
        Unit::Microseconds => spread(rounds, |value| format!("{} µs", figure(value))),
        Unit::PerSecond => spread(rounds, |value| format!("{} req/s", figure(value))),
        Unit::Share => spread(rounds, percent),
    }
}

/// The median, and of several rounds the least and the most.
fn spread(rounds: &[f64], shown: impl Fn(f64) -> String) -> String {
    match Spread::of(rounds.iter().copied()) {
        None => "–".to_owned(),
        Some(it) if it.min < it.max => {
            format!(
                "{} ({} – {})",
                shown(it.median),
                shown(it.min),
                shown(it.max)
            )
        }
        Some(it) => shown(it.median),
    }
}

fn times(value: &[f64], other: &[f64], good: Good) -> String {
    let (better, worse) = match good {
        Good::Less => ('↓', '↑'),
        Good::More => ('↑', '↓'),
    };
    match ratio(value, other, good) {
        None => "–".to_owned(),
        Some(ratio) if ratio < 1.0 => format!("{}배{worse} (나빠짐)", figure(1.0 / ratio)),
        Some(ratio) => format!("{}배{better}", figure(ratio)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(step: Step, p95_ms: &[f64]) -> Side {
        let used = |name: &str, cpu| Used {
            name: name.to_owned(),
            cpu_percent: vec![50.0; p95_ms.len()],
            cpu_us_per_order: vec![cpu; p95_ms.len()],
            rss_peak_bytes: vec![12_345_678.0; p95_ms.len()],
        };
        Side {
            step,
            figures: vec![Figure {
                label: "p95 응답시간",
                unit: Unit::Milliseconds,
                good: Good::Less,
                rounds: p95_ms.to_vec(),
            }],
            components: vec![used("order-service", 100.0), used("k6", 900.0)],
            decrement: None,
        }
    }

    #[test]
    fn several_rounds_are_shown_with_their_spread_and_one_alone() {
        let shown = performance(&side(Step::Before, &[80.0, 120.0, 90.0]));
        assert!(
            shown.contains("| p95 응답시간 | 90.0 ms (80.0 ms – 120 ms) |"),
            "{shown}"
        );
        let shown = performance(&side(Step::Before, &[80.0]));
        assert!(shown.contains("| 80.0 ms |"), "{shown}");
    }

    #[test]
    fn steps_are_compared_round_by_round_and_without_the_load_s_own_cpu() {
        let shown = comparison([
            &side(Step::Before, &[100.0, 200.0]),
            &side(Step::After, &[10.0, 20.0]),
        ]);
        assert!(
            shown.starts_with("| 항목 | 기존 (DB) | 개선 2 (묶음 커밋) | 비율 |"),
            "{shown}"
        );
        assert!(shown.contains("| 10.0배↓ |"), "{shown}");
        assert!(shown.contains("| 100 µs | 100 µs | 1.00배↓ |"), "{shown}");
    }

    #[test]
    fn resources_name_the_components_as_people_do() {
        let shown = resources(&side(Step::After, &[1.0]));
        assert!(
            shown.contains("| Order | 50.0% | 100 µs | 12.3 MB |"),
            "{shown}"
        );
    }
}
