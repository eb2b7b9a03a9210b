//! Tables of the results of `bench/results`, of which only what is shown is read here.

use std::{collections::BTreeMap, path::Path};

use domain::Timestamp;
use local_shop::machine::Machine;
use serde::Deserialize;

use super::{
    ReportError,
    files::{self, Root},
    machine::{fact, of_machine},
    marks::Mark,
    table::{figure as number, table},
    views::COMPONENTS,
};
use crate::Spread;

#[derive(Debug, Deserialize)]
struct Report {
    journal: Journal,
    figures: Vec<Figure>,
}

#[derive(Debug, Deserialize)]
struct Journal {
    begun_at: Timestamp,
    machine: Machine,
    rounds: usize,
    measured_s: f64,
    postgres_settings: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Figure {
    id: String,
    command: String,
    sides: Vec<Side>,
    ratios: Vec<Ratio>,
}

#[derive(Debug, Deserialize)]
struct Side {
    name: String,
    unit: String,
    samples: Vec<Sample>,
    spread: Option<Spread>,
}

#[derive(Debug, Deserialize)]
struct Sample {
    latency: Option<Latency>,
    /// What else was measured, such as `order_service_cpu_s`.
    #[serde(default)]
    details: BTreeMap<String, f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Latency {
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
}

#[derive(Debug, Deserialize)]
struct Ratio {
    over: String,
    under: String,
    spread: Spread,
    aim: Option<Aim>,
}

#[derive(Debug, Deserialize)]
struct Aim {
    better: Better,
    aim: f64,
    at_least: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Better {
    Higher,
    Lower,
}

/// Settings of Postgres that say where it ran, not how fast: how their names begin.
const OF_ITS_PLACE: [&str; 7] = [
    "default_text",
    "dynamic_shared",
    "lc_",
    "listen",
    "log_",
    "port",
    "unix_socket",
];

/// The view that the mark asks for; `None` if there are no results with it.
///
/// A run may measure some figures only: each figure is of the newest run that has it.
pub(super) fn render(root: &Root, mark: Mark<'_>) -> Result<Option<String>, ReportError> {
    let mut reports = Vec::new();
    for path in root.newest(mark.file)? {
        let report: Report = files::parse(&path)?;
        reports.push((root.said(&path).into_owned(), report));
    }
    let words: Vec<&str> = mark.view.split(' ').collect();
    match words[..] {
        ["environment"] => Ok(reports
            .first()
            .map(|(name, report)| environment(name, report))),
        ["table", id] => Ok(find(&reports, id).map(|(file, figure)| sides(file, figure))),
        ["resources", id] => {
            let found = reports.iter().find_map(|(_, report)| {
                let figure = report.figures.iter().find(|figure| figure.id == id)?;
                Some(resources(figure, report.journal.measured_s))
            });
            Ok(found)
        }
        ["ratio", ref ids @ ..] => {
            let shown = ratios(ids.iter().filter_map(|id| find(&reports, id)));
            let is_missing = |id: &&&str| find(&reports, id).is_none();
            let missing: Vec<&str> = ids.iter().filter(is_missing).copied().collect();
            Ok(shown.map(|shown| match missing.is_empty() {
                true => shown,
                false => format!("{shown}\n아직 측정하지 않음: {}\n", missing.join(", ")),
            }))
        }
        ["summary"] => {
            let mut ids: Vec<&str> = Vec::new();
            for figure in reports.iter().flat_map(|(_, report)| &report.figures) {
                if !ids.contains(&figure.id.as_str()) {
                    ids.push(&figure.id);
                }
            }
            ids.sort_by_key(|id| place(id));
            Ok(ratios(ids.into_iter().filter_map(|id| find(&reports, id))))
        }
        _ => Err(ReportError::View {
            file: mark.file.to_owned(),
            view: mark.view.to_owned(),
        }),
    }
}

/// `P10` comes after `P9`.
fn place(id: &str) -> (u32, String) {
    let digits: String = id.chars().filter(char::is_ascii_digit).collect();
    (digits.parse().unwrap_or(0), id.to_owned())
}

fn find<'a>(reports: &'a [(String, Report)], id: &str) -> Option<(&'a str, &'a Figure)> {
    reports.iter().find_map(|(file, report)| {
        let figure = report.figures.iter().find(|figure| figure.id == id)?;
        Some((file.as_str(), figure))
    })
}

fn environment(file: &str, report: &Report) -> String {
    let journal = &report.journal;
    let says_something =
        |name: &&String| !OF_ITS_PLACE.iter().any(|prefix| name.starts_with(prefix));
    let settings = journal.postgres_settings.iter();
    let settings = settings.filter(|(name, _)| says_something(name));
    let settings: Vec<String> = settings
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut rows = vec![
        fact("명령", "`make bench`"),
        fact("결과 파일", &format!("`{file}`")),
        fact("측정 시각", &journal.begun_at.to_string()),
        fact(
            "반복",
            &format!(
                "{}회, 한 번에 {} s (값은 중앙값)",
                journal.rounds,
                number(journal.measured_s)
            ),
        ),
    ];
    rows.extend(of_machine(&journal.machine));
    rows.push(fact("Postgres 설정", &settings.join(", ")));
    table(&["환경", ""], rows)
}

/// Every side of a figure.
fn sides(file: &str, figure: &Figure) -> String {
    let rows = figure.sides.iter().map(|side| {
        let middle = |of: fn(&Latency) -> f64| {
            let known = side
                .samples
                .iter()
                .filter_map(|sample| sample.latency.as_ref());
            let spread = Spread::of(known.map(of));
            spread.map_or_else(|| "–".to_owned(), |it| format!("{} ms", number(it.median)))
        };
        [
            side.name.clone(),
            value(side.spread.as_ref(), &side.unit),
            middle(|it| it.p50_ms),
            middle(|it| it.p95_ms),
            middle(|it| it.p99_ms),
        ]
    });
    let rows = table(&["", "값", "p50", "p95", "p99"], rows);
    format!("{rows}\n명령: `{}`, 결과: `{file}`\n", figure.command)
}

/// What each component used on every side, in the order of a request.
fn resources(figure: &Figure, measured_s: f64) -> String {
    let middle = |side: &Side, name: &str| {
        let values = side
            .samples
            .iter()
            .filter_map(|sample| sample.details.get(name));
        Spread::of(values.copied()).map(|spread| spread.median)
    };
    let mut head = vec!["구성 요소"];
    head.extend(figure.sides.iter().map(|side| side.name.as_str()));
    let rows = COMPONENTS.iter().filter_map(|(name, title)| {
        let name = name.replace('-', "_");
        let cells = figure.sides.iter().map(|side| {
            let cpu = middle(side, &format!("{name}_cpu_s"));
            let memory = middle(side, &format!("{name}_rss_mb"));
            match (cpu, memory) {
                (Some(cpu), Some(memory)) => {
                    format!(
                        "{}%, {} MB",
                        number(cpu / measured_s * 100.0),
                        number(memory)
                    )
                }
                _ => "–".to_owned(),
            }
        });
        let cells: Vec<String> = cells.collect();
        let is_known = cells.iter().any(|cell| cell != "–");
        is_known.then(|| [vec![(*title).to_owned()], cells].concat())
    });
    let rows = table(&head, rows);
    format!(
        "{rows}\nCPU는 코어 하나가 100%, 메모리는 최대. 명령: `{}`\n",
        figure.command
    )
}

/// Every ratio of these figures; `None` if there are none.
fn ratios<'a>(figures: impl Iterator<Item = (&'a str, &'a Figure)>) -> Option<String> {
    let (mut rows, mut ids) = (Vec::new(), Vec::new());
    let mut from: Vec<String> = Vec::new();
    for (file, figure) in figures {
        for ratio in &figure.ratios {
            rows.push(compared(&figure.id, ratio));
        }
        ids.push(figure.id.as_str());
        let file = format!("`{}`", file_name(file));
        if !from.contains(&file) {
            from.push(file);
        }
    }
    if rows.is_empty() {
        return None;
    }
    let rows = table(&["", "무엇 : 무엇", "비율", "목표", "최소", "판정"], rows);
    let (ids, from) = (ids.join(","), from.join(", "));
    Some(format!(
        "{rows}\n명령: `make bench ONLY={ids}`, 결과: {from}\n"
    ))
}

fn file_name(path: &str) -> &str {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.unwrap_or(path)
}

fn compared(id: &str, ratio: &Ratio) -> [String; 6] {
    let [aim, at_least, verdict] = ratio.aim.as_ref().map_or_else(Default::default, |aim| {
        let sign = if aim.better == Better::Lower {
            "≤ "
        } else {
            "≥ "
        };
        [
            format!("{sign}{}", number(aim.aim)),
            format!("{sign}{}", number(aim.at_least)),
            verdict(aim, ratio.spread.median).to_owned(),
        ]
    });
    let what = format!("{} : {}", ratio.over, ratio.under);
    [
        id.to_owned(),
        what,
        value(Some(&ratio.spread), ""),
        aim,
        at_least,
        verdict,
    ]
}

fn verdict(aim: &Aim, value: f64) -> &'static str {
    let reaches = |bound: f64| match aim.better {
        Better::Higher => value >= bound,
        Better::Lower => value <= bound,
    };
    match (reaches(aim.aim), reaches(aim.at_least)) {
        (true, _) => "목표 달성",
        (false, true) => "최소 달성",
        (false, false) => "**미달**",
    }
}

fn value(spread: Option<&Spread>, unit: &str) -> String {
    let shown = |value: f64| format!("{} {unit}", number(value)).trim_end().to_owned();
    match spread {
        None => "–".to_owned(),
        Some(it) if it.min < it.max => {
            format!(
                "{} ({} – {})",
                shown(it.median),
                number(it.min),
                number(it.max)
            )
        }
        Some(it) => shown(it.median),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn figure(id: &str, median: f64) -> Figure {
        let spread = json!({"median": median, "min": 1.0, "max": 20.0, "iqr": 1.0});
        let latency =
            json!({"p50_ms": 1.0, "p95_ms": 12.5, "p99_ms": 20.0, "mean_ms": 2.0, "max_ms": 30.0});
        let details = json!({"order_service_cpu_s": 4.0, "order_service_rss_mb": 21.5});
        let text = json!({
            "id": id, "what": "one : another", "command": format!("make bench ONLY={id}"),
            "sides": [{"name": "one", "unit": "1/s", "samples": [{"value": 9.0, "latency": latency, "details": details}],
                       "spread": spread}],
            "ratios": [{"over": "one", "under": "another", "rounds": [median], "spread": spread,
                        "aim": {"better": "higher", "aim": 10.0, "at_least": 6.0}}],
            "surroundings": {},
        });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn a_ratio_is_shown_with_what_it_should_be() {
        for (median, verdict) in [(11.0, "목표 달성"), (7.0, "최소 달성"), (5.0, "**미달**")]
        {
            let shown =
                ratios([("bench/results/a.json", &figure("P4", median))].into_iter()).unwrap();
            assert!(shown.contains(verdict), "{shown}");
            assert!(
                shown.contains("| P4 | one : another |") && shown.contains("≥ 10.0 | ≥ 6.00"),
                "{shown}"
            );
            assert!(shown.contains("`a.json`"), "{shown}");
        }
        assert_eq!(ratios(std::iter::empty()), None);
    }

    #[test]
    fn sides_are_shown_with_their_latencies() {
        let shown = sides("bench/results/a.json", &figure("P4", 9.0));
        let row = "| one | 9.00 1/s (1.00 – 20.0) | 1.00 ms | 12.5 ms | 20.0 ms |";
        assert!(shown.contains(row), "{shown}");
    }

    #[test]
    fn resources_are_shown_for_each_side() {
        let shown = resources(&figure("P4", 9.0), 8.0);
        assert!(shown.contains("| 구성 요소 | one |"), "{shown}");
        assert!(shown.contains("| Order | 50.0%, 21.5 MB |"), "{shown}");
        assert!(!shown.contains("Redis"), "{shown}");
    }

    #[test]
    fn figures_stand_in_the_order_of_their_numbers() {
        let mut ids = ["P10", "P1b", "P2", "P1a"];
        ids.sort_by_key(|id| place(id));
        assert_eq!(ids, ["P1a", "P1b", "P2", "P10"]);
    }
}
