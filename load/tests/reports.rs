//! The reports of this repository say what its stored results say, and no figure besides.

use std::{fs, path::PathBuf};

use load::report;

fn scenarios() -> Vec<(PathBuf, String)> {
    let folder = report::repository().join("docs/scenarios");
    let entries = fs::read_dir(folder).expect("there are reports");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| {
            let text = fs::read_to_string(&path).expect("a report is text");
            (path, text)
        })
        .collect()
}

#[test]
fn every_report_is_as_its_results_say() {
    report::fill(&report::repository(), true).unwrap();
}

/// What stands outside of the places that are filled, of fenced code and of `code`.
fn own_words(text: &str) -> String {
    let (mut is_filled, mut is_code) = (false, false);
    let mut words = String::new();
    for line in text.lines() {
        is_code ^= line.trim_start().starts_with("```");
        is_filled |= line.starts_with("<!-- measured:");
        if !is_filled && !is_code {
            let parts = line.split('`').step_by(2);
            words.push_str(&parts.collect::<Vec<_>>().join(" "));
            words.push('\n');
        }
        is_filled &= !line.starts_with("<!-- /measured");
    }
    words
}

/// A number with a unit that only a measurement can give.
fn figure(words: &str) -> Option<&str> {
    const UNITS: [&str; 9] = ["ms", "µs", "초", "배", "%", "req/s", "건/s", "MB", "/s"];
    words.lines().find(|line| {
        let after_digits = line.split(|c: char| c.is_ascii_digit()).skip(1);
        after_digits
            .map(|rest| rest.trim_start())
            .any(|rest| UNITS.iter().any(|unit| rest.starts_with(unit)))
    })
}

#[test]
fn no_report_has_figures_of_its_own() {
    let scenarios = scenarios();
    assert!(scenarios.len() >= 4, "{scenarios:?}");
    for (path, text) in scenarios {
        let found = figure(&own_words(&text)).map(str::to_owned);
        assert_eq!(found, None, "{}", path.display());
    }
}

#[test]
fn a_figure_typed_by_hand_is_found() {
    for line in [
        "p95는 12.5 ms입니다",
        "처리량이 3배",
        "에러율 0%",
        "초당 500req/s",
    ] {
        assert!(figure(line).is_some(), "{line}");
    }
    let fine =
        "개선 2의 표, 코어 두 개, `50ms` 동안\n<!-- measured: a b -->\n12 ms\n<!-- /measured -->\n";
    assert_eq!(figure(&own_words(fine)), None);
}
