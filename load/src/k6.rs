//! k6 as a child process, and its summary.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use test_kit::{Process, Program, scratch_directory};

use crate::LoadError;

/// The exit code of a run that has crossed a threshold.
const THRESHOLDS_CROSSED: i32 = 99;

/// A running script.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub process: Process,
    summary: PathBuf,
}

/// What a script has measured, by the name of the metric; that of a part of it is `name{tag:value}`.
#[derive(Debug, Deserialize)]
pub struct Summary {
    metrics: BTreeMap<String, Metric>,
    /// Whether every threshold was kept.
    #[serde(skip)]
    pub is_kept: bool,
    /// What k6 has printed.
    #[serde(skip)]
    pub output: String,
}

/// Figures by their names, such as `p(95)`, `count`, `value`; thresholds are left out.
#[derive(Debug, Deserialize)]
struct Metric {
    #[serde(flatten)]
    figures: BTreeMap<String, serde_json::Value>,
}

/// Starts the script `name` of `k6/`, which is told `env`.
///
/// # Panics
/// When k6 is not installed.
pub async fn start(name: &str, env: Vec<(&'static str, String)>) -> Running {
    let summary = scratch_directory("k6").join("summary.json");
    let program = program()
        .args(["run", "--no-color", "--quiet", "--no-usage-report"])
        .arg("--summary-export")
        .arg(&summary)
        .arg(script(name))
        .envs(env);
    Running {
        process: Process::start(&program).await,
        summary,
    }
}

/// What k6 says of itself.
///
/// # Panics
/// When k6 is not installed.
pub async fn version() -> String {
    let process = Process::start(&program().arg("version")).await;
    process.wait(Duration::from_secs(30)).await;
    process.output().trim().to_owned()
}

/// The scripts there are.
pub fn scripts() -> Vec<String> {
    let entries = fs::read_dir(directory()).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.strip_suffix(".js").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort_unstable();
    names
}

impl Running {
    /// Waits for the end, at most `patience`.
    ///
    /// # Errors
    /// When k6 has no summary: it could not run the script.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn end(self, patience: Duration) -> Result<Summary, LoadError> {
        let status = self.process.wait(patience).await;
        let output = self.process.output();
        let is_kept = match status.code() {
            Some(0) => true,
            Some(THRESHOLDS_CROSSED) => false,
            _ => {
                let status = status.to_string();
                return Err(LoadError::K6 { status, output });
            }
        };
        let text = fs::read_to_string(&self.summary).map_err(LoadError::file(&self.summary))?;
        let summary = serde_json::from_str(&text);
        let summary: Summary = summary.map_err(|error| LoadError::Summary(error.to_string()))?;
        Ok(Summary {
            is_kept,
            output,
            ..summary
        })
    }
}

impl Summary {
    /// One figure of one metric.
    ///
    /// # Errors
    /// When it is not there.
    pub fn figure(&self, metric: &str, figure: &str) -> Result<f64, LoadError> {
        let found = self
            .metrics
            .get(metric)
            .and_then(|it| it.figures.get(figure));
        let missing = || LoadError::Summary(format!("{metric} {figure}"));
        found
            .and_then(serde_json::Value::as_f64)
            .ok_or_else(missing)
    }

    /// A counter's sum; one that never counted is not in the summary.
    pub fn counted(&self, metric: &str) -> u64 {
        let count = self.figure(metric, "count").unwrap_or(0.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count is a small whole number"
        )]
        let whole = count as u64;
        whole
    }
}

fn script(name: &str) -> PathBuf {
    directory().join(format!("{name}.js"))
}

fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../k6"))
}

/// The one that `scripts/setup.sh` installs, or another that is there.
fn program() -> Program {
    let ours = cache().map(|cache| cache.join("hotdeal/k6/bin/k6"));
    match ours.filter(|program| program.is_file()) {
        Some(path) => Program::at(path),
        None => Program::installed("k6"),
    }
}

fn cache() -> Option<PathBuf> {
    let given = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let usual = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache"));
    given.or_else(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_what_k6_exports() {
        let text = r#"{"metrics": {
            "order_duration{phase:hold}": {"avg": 1.5, "p(95)": 4, "thresholds": {"p(95)<2000": false}},
            "orders_accepted": {"count": 12, "rate": 3.1}}}"#;
        let summary: Summary = serde_json::from_str(text).unwrap();
        let p95 = summary.figure("order_duration{phase:hold}", "p(95)");
        assert!((p95.unwrap() - 4.0).abs() < f64::EPSILON);
        assert_eq!(summary.counted("orders_accepted"), 12);
        assert_eq!(summary.counted("orders_refused"), 0);
        let missing = summary.figure("orders_accepted", "p(95)").unwrap_err();
        assert!(missing.to_string().contains("orders_accepted p(95)"));
    }

    #[test]
    fn the_scripts_are_there_and_the_shared_parts_are_none() {
        let scripts = scripts();
        assert!(
            scripts.contains(&"order-overload".to_owned()),
            "{scripts:?}"
        );
        assert!(!scripts.contains(&"shop".to_owned()), "{scripts:?}");
    }
}
