//! `deploy/prometheus`: what Prometheus makes of it, and that there is what the alerts ask for.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{read, root, said, yaml};

/// Runs promtool over a file of `deploy/prometheus`.
fn promtool(task: [&str; 2], file: &str) {
    let output = Command::new("promtool")
        .args(task)
        .arg(root().join("deploy/prometheus").join(file))
        .stdin(Stdio::null())
        .output()
        .expect("promtool is missing: run scripts/setup.sh");
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn prometheus_takes_its_configuration() {
    // With the alerts, which it names.
    promtool(["check", "config"], "prometheus.yml");
}

#[test]
fn alerts_are_raised_when_they_should_and_only_then() {
    promtool(["test", "rules"], "alerts_test.yml");
}

/// Every string in the sources that could name a metric, with the endings that histograms have.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::from(["up".to_owned()]);
    for part in [
        "crates/service-kit/src",
        "product-service/src",
        "order-service/src",
    ] {
        collect(&root().join(part), &mut known);
    }
    known
}

fn collect(folder: &Path, known: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, known);
            continue;
        }
        let source = fs::read_to_string(&path).expect("a source is text");
        for word in source.split('"').skip(1).step_by(2) {
            for ending in ["", "_bucket", "_count", "_sum"] {
                known.insert(format!("{word}{ending}"));
            }
        }
    }
}

/// The expression without what stands from `open` to the next `close`.
fn without(expression: &str, open: &str, close: char) -> String {
    let mut parts = expression.split(open);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        let (_, rest) = part.split_once(close).unwrap_or_default();
        kept + rest.trim_start()
    })
}

/// The metrics of an expression: names that are no function's, outside of labels, ranges and groupings.
fn metrics(expression: &str) -> Vec<String> {
    let expression = without(expression, "{", '}');
    let expression = without(&expression, "[", ']');
    let expression = without(&expression, " by (", ')');
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expression.split_inclusive(|c| !is_name(c));
    words
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()) && !word.ends_with('('))
        .map(|word| word.trim_end_matches(|c| !is_name(c)).to_owned())
        .collect()
}

#[test]
fn every_alert_asks_for_a_metric_that_the_services_have_and_says_whom_to_call() {
    let known = known();
    let rules = yaml(&read("deploy/prometheus/alerts.yml")).remove(0);
    let groups = rules["groups"].as_array().expect("groups").iter();
    let mut count = 0;
    for rule in groups.flat_map(|group| group["rules"].as_array().expect("rules")) {
        let name = rule["alert"].as_str().expect("an alert has a name");
        let metrics = metrics(rule["expr"].as_str().expect("an alert has an expression"));
        assert!(!metrics.is_empty(), "{name} asks for nothing");
        for metric in metrics {
            assert!(known.contains(&metric), "{name}: nobody counts {metric}");
        }
        let severity = rule["labels"]["severity"].as_str();
        assert!(matches!(severity, Some("page" | "ticket")), "{name}");
        assert!(rule["annotations"]["summary"].is_string(), "{name}");
        count += 1;
    }
    assert!(count > 8, "only {count} alerts were found");
}

#[test]
fn the_metrics_of_an_expression_are_found() {
    let expression =
        "quantile(0.99, sum by (le) (rate(a_bucket{path=\"/orders\"}[1m]))) > 0.25 / max(b)";
    assert_eq!(metrics(expression), ["a_bucket", "b"]);
}
