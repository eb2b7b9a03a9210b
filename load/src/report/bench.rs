//! Tables of the results of `bench/results`.

use std::path::Path;

use super::{
    ReportError,
    files::{self, Root},
    machine::{fact, of_machine},
    marks::Mark,
    runs::{Aim, Better, Found, Latency, Ratio, Report, Side, find},
    table::{figure as number, table},
    views::COMPONENTS,
};
use crate::Spread;

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
/// A run may measure some figures only: each figure is of the newest revision that has it, of all its runs.
pub(super) fn render(root: &Root, mark: Mark<'_>) -> Result<Option<String>, ReportError> {
    let mut reports = Vec::new();
    for path in root.newest(mark.file)? {
        let report: Report = files::parse(&path)?;
        reports.push((root.said(&path).into_owned(), report));
    }
    let words: Vec<&str> = mark.view.split(' ').collect();
    match words[..] {
        ["environment"] => Ok(environment(&reports)),
        ["table", id] => Ok(find(&reports, id).map(|found| sides(&found))),
        ["resources", id] => Ok(find(&reports, id).map(|found| resources(&found))),
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

/// Of the newest run, and which others count with it.
fn environment(reports: &[(String, Report)]) -> Option<String> {
    let (_, newest) = reports.first()?;
    let journal = &newest.journal;
    let of_it: Vec<&(String, Report)> = reports
        .iter()
        .filter(|(_, report)| report.journal.revision == journal.revision)
        .collect();
    let says_something =
        |name: &&String| !OF_ITS_PLACE.iter().any(|prefix| name.starts_with(prefix));
    let settings = journal.postgres_settings.iter();
    let settings = settings.filter(|(name, _)| says_something(name));
    let settings: Vec<String> = settings
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let files: Vec<String> = of_it.iter().map(|(file, _)| format!("`{file}`")).collect();
    let rounds: usize = of_it.iter().map(|(_, report)| report.journal.rounds).sum();
    let command = format!(
        "`make bench ROUNDS={} MEASURED={}s WARM_UP={}s`, {}번",
        journal.rounds,
        journal.measured_s,
        journal.warm_up_s,
        of_it.len()
    );
    let mut rows = vec![
        fact("명령", &command),
        fact("결과 파일", &files.join(", ")),
        fact("측정 시각", &journal.begun_at.to_string()),
        fact(
            "반복",
            &format!(
                "모두 {rounds}회, 한 번에 {} s (값은 중앙값, 괄호는 최소 – 최대)",
                number(journal.measured_s)
            ),
        ),
    ];
    rows.extend(of_machine(&journal.machine));
    rows.push(fact("Postgres 설정", &settings.join(", ")));
    Some(table(&["환경", ""], rows))
}

/// Every side of a figure.
fn sides(found: &Found<'_>) -> String {
    let figure = &found.figure;
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
    let files: Vec<String> = found.files.iter().map(|file| named(file)).collect();
    let files = files.join(", ");
    format!("{rows}\n명령: `{}`, 결과: {files}\n", figure.command)
}

/// What each component used on every side, in the order of a request.
fn resources(found: &Found<'_>) -> String {
    let (figure, measured_s) = (&found.figure, found.measured_s);
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

/// Every ratio of these figures, and every side that has an aim of its own; `None` if there are none.
fn ratios<'a>(figures: impl Iterator<Item = Found<'a>>) -> Option<String> {
    let (mut rows, mut ids) = (Vec::new(), Vec::new());
    let mut from: Vec<String> = Vec::new();
    for Found { files, figure, .. } in figures {
        rows.extend(
            figure
                .ratios
                .iter()
                .map(|ratio| compared(&figure.id, ratio)),
        );
        rows.extend(
            figure
                .sides
                .iter()
                .filter_map(|side| aimed(&figure.id, side)),
        );
        ids.push(figure.id);
        for file in files.into_iter().map(named) {
            if !from.contains(&file) {
                from.push(file);
            }
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

fn named(file: &str) -> String {
    format!("`{}`", file_name(file))
}

fn file_name(path: &str) -> &str {
    let name = Path::new(path).file_name().and_then(|name| name.to_str());
    name.unwrap_or(path)
}

fn compared(id: &str, ratio: &Ratio) -> [String; 6] {
    let what = format!("{} : {}", ratio.over, ratio.under);
    let measured = value(Some(&ratio.spread), "");
    row(id, what, measured, ratio.spread.median, ratio.aim)
}

/// A side that should be large or small in itself.
fn aimed(id: &str, side: &Side) -> Option<[String; 6]> {
    let (aim, spread) = (side.aim?, side.spread?);
    let measured = value(Some(&spread), &side.unit);
    Some(row(
        id,
        side.name.clone(),
        measured,
        spread.median,
        Some(aim),
    ))
}

fn row(id: &str, what: String, measured: String, median: f64, aim: Option<Aim>) -> [String; 6] {
    let [aim, at_least, verdict] = aim.map_or_else(Default::default, |aim| {
        let sign = if aim.better == Better::Lower {
            "≤ "
        } else {
            "≥ "
        };
        // What has an aim alone says so by a bound that everything keeps.
        let at_least = match aim.at_least < f64::MAX {
            true => format!("{sign}{}", number(aim.at_least)),
            false => "–".to_owned(),
        };
        let verdict = verdict(aim, median).to_owned();
        [format!("{sign}{}", number(aim.aim)), at_least, verdict]
    });
    [id.to_owned(), what, measured, aim, at_least, verdict]
}

fn verdict(aim: Aim, value: f64) -> &'static str {
    let reaches = |bound: f64| match aim.better {
        Better::Higher => value >= bound,
        Better::Lower => value <= bound,
    };
    match (reaches(aim.aim), reaches(aim.at_least)) {
        (true, _) => "목표 달성",
        (false, true) if aim.at_least == f64::MAX => "목표 미달",
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

    use super::{
        super::runs::{Figure, together},
        *,
    };

    fn figure(id: &str, median: f64) -> Figure {
        let spread = json!({"median": median, "min": 1.0, "max": 20.0, "iqr": 1.0});
        let latency =
            json!({"p50_ms": 1.0, "p95_ms": 12.5, "p99_ms": 20.0, "mean_ms": 2.0, "max_ms": 30.0});
        let details = json!({"order_service_cpu_s": 4.0, "order_service_rss_mb": 21.5});
        let text = json!({
            "id": id, "what": "one : another", "command": format!("make bench ONLY={id}"),
            "sides": [{"name": "one", "unit": "1/s", "samples": [{"value": median, "latency": latency, "details": details}],
                       "spread": spread, "aim": null}],
            "ratios": [{"over": "one", "under": "another", "rounds": [median], "spread": spread,
                        "aim": {"better": "higher", "aim": 10.0, "at_least": 6.0}}],
            "surroundings": {},
        });
        serde_json::from_value(text).unwrap()
    }

    fn found(figure: Figure) -> Found<'static> {
        Found {
            files: vec!["bench/results/a.json"],
            measured_s: 8.0,
            figure,
        }
    }

    #[test]
    fn runs_count_together_and_a_side_may_have_an_aim_of_its_own() {
        let [mut first, second, third] = [5.0, 9.0, 7.0].map(|median| figure("P4", median));
        first.sides[0].aim = Some(Aim {
            better: Better::Lower,
            aim: 8.0,
            at_least: 9.0,
        });
        let whole = together(&[&first, &second, &third]).unwrap();
        let shown = ratios([found(whole)].into_iter()).unwrap();
        let ratio = "| P4 | one : another | 7.00 (5.00 – 9.00) | ≥ 10.0 | ≥ 6.00 | 최소 달성 |";
        assert!(shown.contains(ratio), "{shown}");
        let side = "| P4 | one | 7.00 1/s (5.00 – 9.00) | ≤ 8.00 | ≤ 9.00 | 목표 달성 |";
        assert!(shown.contains(side), "{shown}");
    }

    #[test]
    fn a_ratio_is_shown_with_what_it_should_be() {
        for (median, verdict) in [(11.0, "목표 달성"), (7.0, "최소 달성"), (5.0, "**미달**")]
        {
            let shown = ratios([found(figure("P4", median))].into_iter()).unwrap();
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
    fn what_has_an_aim_alone_meets_it_or_not() {
        let mut alone = figure("A1", 10.5);
        let aim = Aim {
            better: Better::Lower,
            aim: 10.0,
            at_least: f64::MAX,
        };
        alone.sides[0].aim = Some(aim);
        let shown = ratios([found(alone)].into_iter()).unwrap();
        assert!(shown.contains("| ≤ 10.0 | – | 목표 미달 |"), "{shown}");
    }

    #[test]
    fn sides_are_shown_with_their_latencies() {
        let shown = sides(&found(figure("P4", 9.0)));
        let row = "| one | 9.00 1/s (1.00 – 20.0) | 1.00 ms | 12.5 ms | 20.0 ms |";
        assert!(shown.contains(row), "{shown}");
    }

    #[test]
    fn resources_are_shown_for_each_side() {
        let shown = resources(&found(figure("P4", 9.0)));
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
